// The providers' own libraries behind one question and one answer, each a line of JSON.
//
//   {"client": "svix", "action": "sign", "secret", "id", "timestamp", "body"}  ->  {"signature"}
//   {"client": "svix", "action": "verify", "secret", "headers", "body"}        ->  {"verdict": "ok"} or {"verdict": "refused", "why"}
//   anything that goes wrong otherwise                                         ->  {"error"}
//
// `timestamp` is in unix seconds. `secret` is what the provider shows, as text; for a pair of keys, the private one as PEM to
// sign, and the public one as the provider shows it to verify.

import { createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { createInterface } from "node:readline";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { sign as githubSign, verify as githubVerify } from "@octokit/webhooks-methods";
import sendgrid from "@sendgrid/eventwebhook";
import { verifyKey } from "discord-interactions";
import * as standardwebhooks from "standardwebhooks";
import starkbank from "starkbank-ecdsa";
import Stripe from "stripe";
import * as svix from "svix";
import { TelnyxWebhook, TelnyxWebhookVerificationError } from "telnyx/lib/webhooks";

/** What a library says with `false`. */
class Refused extends Error {}

const insist = (isRight) => {
  if (!isRight) {
    throw new Refused("no match");
  }
};

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
    verify: async ({ secret, headers, body }) =>
      insist(await githubVerify(secret, body, headers["x-hub-signature-256"])),
  },
  // It only verifies; `pynacl` of clients.py signs.
  discord: {
    refusal: Refused,
    verify: async ({ secret, headers, body }) => {
      const [signature, timestamp] = [headers["x-signature-ed25519"], headers["x-signature-timestamp"]];
      insist(await verifyKey(body, signature, timestamp, secret));
    },
  },
  // It only verifies; the library that it verifies with signs.
  sendgrid: {
    refusal: Refused,
    sign: ({ secret, timestamp, body }) => {
      const pem = createPrivateKey(secret).export({ type: "sec1", format: "pem" });
      const key = starkbank.PrivateKey.fromPem(pem);
      return starkbank.Ecdsa.sign(`${timestamp}${body}`, key).toBase64();
    },
    verify: ({ secret, headers, body }) => {
      const webhook = new sendgrid.EventWebhook();
      const [signature, timestamp] = ["signature", "timestamp"].map(
        (name) => headers[`x-twilio-email-event-webhook-${name}`],
      );
      insist(webhook.verifySignature(webhook.convertPublicKeyToECDSA(secret), body, signature, timestamp));
    },
  },
  // It only verifies; OpenSSL signs.
  telnyx: {
    refusal: TelnyxWebhookVerificationError,
    sign: ({ secret, timestamp, body }) => ed25519(secret, `${timestamp}|${body}`),
    verify: ({ secret, headers, body }) => new TelnyxWebhook(secret).verify(body, headers),
  },
  // No library of Standard Webhooks has version 1a yet: OpenSSL does as the specification says.
  v1a: {
    refusal: Refused,
    sign: ({ secret, id, timestamp, body }) => `v1a,${ed25519(secret, `${id}.${timestamp}.${body}`)}`,
    verify: ({ secret, headers, body }) => {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const [version, signature] = headers["webhook-signature"].split(",");
      const key = createPublicKey({ key: Buffer.from(secret, "base64"), format: "der", type: "spki" });
      insist(version === "v1a" && verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64")));
    },
  },
  // It only verifies, and refuses with a bare `Error`.
  linear: {
    refusal: Refused,
    sign: ({ secret, body }) => createHmac("sha256", secret).update(body).digest("hex"),
    verify: ({ secret, headers, body }) => {
      try {
        new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"]);
      } catch (error) {
        throw /^Invalid webhook /.test(error.message) ? new Refused(error.message) : error;
      }
    },
  },
};

/** With a private key in PEM. */
function ed25519(pem, message) {
  return sign(null, Buffer.from(message), pem).toString("base64");
}

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
