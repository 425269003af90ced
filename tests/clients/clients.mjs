// The providers' own libraries behind one question and one answer, each a line of JSON.
//
//   {"client": "svix", "action": "sign", "secret", "id", "timestamp", "body"}  ->  {"signature"}
//   {"client": "svix", "action": "verify", "secret", "headers", "body"}        ->  {"verdict": "ok"} or {"verdict": "refused", "why"}
//   anything that goes wrong otherwise                                         ->  {"error"}
//
// `timestamp` is in unix seconds. `secret` is what the provider shows, as text.

import { createInterface } from "node:readline";
import { sign as githubSign, verify as githubVerify } from "@octokit/webhooks-methods";
import * as standardwebhooks from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";

/** What GitHub's library says with `false`. */
class Refused extends Error {}

// Each `verify` throws its `refusal` when it refuses.
const clients = {
  svix: standard(svix),
  standardwebhooks: standard(standardwebhooks),
  stripe: {
    refusal: Stripe.errors.StripeSignatureVerificationError,
    sign: ({ secret, timestamp, body }) =>
      Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp }),
    verify: ({ secret, headers, body }) =>
      Stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret),
  },
  github: {
    refusal: Refused,
    sign: ({ secret, body }) => githubSign(secret, body),
    verify: async ({ secret, headers, body }) => {
      if (!(await githubVerify(secret, body, headers["x-hub-signature-256"]))) {
        throw new Refused("no match");
      }
    },
  },
};

function standard({ Webhook, WebhookVerificationError }) {
  return {
    refusal: WebhookVerificationError,
    sign: ({ secret, id, timestamp, body }) =>
      new Webhook(secret).sign(id, new Date(timestamp * 1000), body),
    verify: ({ secret, headers, body }) => new Webhook(secret).verify(body, headers),
  };
}

async function answer(question) {
  const client = clients[question.client];
  if (question.action === "sign") {
    return { signature: await client.sign(question) };
  }
  try {
    await client.verify(question);
    return { verdict: "ok" };
  } catch (error) {
    // A mistake of ours in calling the library must not look like a refusal.
    if (error instanceof client.refusal) {
      return { verdict: "refused", why: error.message };
    }
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
