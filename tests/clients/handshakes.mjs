// The vendors' own libraries that answer the question whether an address takes webhooks, by the name of the provider.
//
//   load()                the library; an error means that it is not installed
//   answer(lib, request)  what the library answers: status, headers and body, as far as it decides them
//
// A request is the question of clients.mjs: method, url, headers (in lower case), body, secret, params.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const load = (name) => () => require(name);

const ok = (body, headers = {}) => ({ status: 200, headers, body });
const query = (url, name) => new URL(url).searchParams.get(name);

// A library that refuses by an error of this name. Another is a mistake of ours.
const refused = (error, name) => {
  if (error.name !== name && error.type !== name) {
    throw error;
  }
  return { status: 400, headers: {}, body: "" };
};

// What a middleware for Express does with a request whose raw body is there.
const express = (middleware, { headers, body }) =>
  new Promise((resolve, reject) => {
    const sent = {};
    const response = {
      statusCode: 200,
      setHeader: (name, value) => (sent[name.toLowerCase()] = value),
      end: (text = "") => resolve({ status: response.statusCode, headers: sent, body: text }),
    };
    const request = { body: Buffer.from(body), header: (name) => headers[name.toLowerCase()] };
    // Not a handshake: the handler's turn.
    middleware(request, response, () => resolve({ status: 0, headers: {}, body: "" })).catch(reject);
  });

// What a receiver for AWS Lambda does.
const lambda = async (handler, { method, headers, body }) => {
  const event = { httpMethod: method, headers, body, isBase64Encoded: false };
  const answer = await handler(event, {});
  return { status: answer.statusCode, headers: answer.headers ?? {}, body: answer.body };
};

export const answers = {
  braintree: {
    load: load("braintree"),
    answer: ({ BraintreeGateway, Environment }, { secret, url, params }) => {
      const gateway = new BraintreeGateway({
        environment: Environment.Sandbox,
        merchantId: "unused",
        publicKey: params.public_key,
        privateKey: secret,
      });
      try {
        return ok(gateway.webhookNotification.verify(query(url, "bt_challenge")));
      } catch (error) {
        return refused(error, "invalidChallengeError");
      }
    },
  },
  discord: {
    load: load("discord-interactions"),
    answer: ({ verifyKeyMiddleware }, request) => express(verifyKeyMiddleware(request.secret), request),
  },
  "discord-events": {
    load: load("discord-interactions"),
    answer: ({ verifyWebhookEventMiddleware }, request) =>
      express(verifyWebhookEventMiddleware(request.secret), request),
  },
  ebay: {
    load: load("event-notification-nodejs-sdk"),
    answer: ({ validateEndpoint }, { url, params }) => {
      const challengeResponse = validateEndpoint(query(url, "challenge_code"), {
        endpoint: params.url,
        verificationToken: params.verification_token,
      });
      return ok(JSON.stringify({ challengeResponse }));
    },
  },
  nylas: {
    load: load("nylas"),
    answer: ({ default: Nylas }, { url }) => {
      try {
        return ok(new Nylas({ apiKey: "unused" }).webhooks.extractChallengeParameter(url));
      } catch (error) {
        return refused(error, "Error");
      }
    },
  },
  slack: {
    load: load("@slack/bolt/dist/receivers/AwsLambdaReceiver"),
    answer: ({ default: AwsLambdaReceiver }, request) =>
      lambda(new AwsLambdaReceiver({ signingSecret: request.secret }).toHandler(), request),
  },
  zoom: {
    load: () => import("@zoom/rivet/meetings"),
    answer: ({ AwsLambdaReceiver }, request) =>
      lambda(new AwsLambdaReceiver({ webhooksSecretToken: request.secret }).start(), request),
  },
};
