// The vendors' own libraries on npm, by name, in one form.
//
//   load()                the library; called once, when the first question comes
//   verify(lib, request)  refuses with `false` or by throwing one of `refusal`, and else accepts
//   sign(lib, request)    what the vendor puts into its signature header; only where the library signs
//
// A request is the question of clients.mjs: secret, headers (in lower case), body, url, params; to sign,
// also id and timestamp, in unix seconds.

import { createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey, sign, verify } from "node:crypto";
import { createRequire } from "node:module";
import { PassThrough } from "node:stream";

const require = createRequire(import.meta.url);

// Libraries in CommonJS, which `import` cannot always name the exports of.
const load = (name) => () => require(name);

// What the endpoint of HTTP message signatures requires.
const COVERED = ["@method", "@target-uri", "content-digest"];

const contentDigest = (body) => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// The path and the query of a URL.
const path = (url) => new URL(url).pathname + new URL(url).search;

const form = (body) => Object.fromEntries(new URLSearchParams(body));

const braintree = ({ BraintreeGateway, Environment }, privateKey, { public_key: publicKey }) =>
  new BraintreeGateway({ environment: Environment.Sandbox, merchantId: "unused", publicKey, privateKey });

// With a private key in PEM.
const ed25519 = (pem, message) => sign(null, Buffer.from(message), pem).toString("base64");

// A library that Stainless generates, as `client`, with one of its functions for webhooks.
const client = (name, options, call, refusal = ["Error"]) => ({
  load: load(name),
  refusal,
  verify: (lib, request) => call(new lib.default({ ...options }).webhooks, request),
});

const standard = (name) => ({
  load: () => import(name),
  refusal: ["WebhookVerificationError"],
  sign: ({ Webhook }, { secret, id, timestamp, body }) =>
    new Webhook(secret).sign(id, new Date(timestamp * 1000), body),
  verify: ({ Webhook }, { secret, headers, body }) => new Webhook(secret).verify(body, headers),
});

// It fetches the certificate, and keeps it for the address. A fresh one is given our certificate instead.
const sns = {
  load: load("https"),
  refusal: ["Error"],
  verify: (https, { secret, body }) => {
    delete require.cache[require.resolve("sns-validator")];
    const Validator = require("sns-validator");
    https.get = (_, answer) => {
      const response = new PassThrough();
      response.statusCode = 200;
      answer(response);
      response.end(secret);
      return response;
    };
    return new Promise((resolve, reject) => {
      new Validator().validate(body, (error) => (error ? reject(error) : resolve(true)));
    });
  },
};

const unwrap = (name, options = { apiKey: "unused" }, refusal = ["WebhookVerificationError"]) =>
  client(
    name,
    options,
    (webhooks, { secret, headers, body }) => webhooks.unwrap(body, { headers, key: secret }),
    refusal,
  );

export const sdks = {
  "apple-assn": {
    load: load("@apple/app-store-server-library"),
    refusal: ["VerificationException"],
    // Without asking Apple whether a certificate was revoked.
    verify: async ({ SignedDataVerifier, Environment }, { secret, body, params }) => {
      const { bundle_id: bundleId } = params;
      const verifier = new SignedDataVerifier([Buffer.from(secret)], false, Environment.SANDBOX, bundleId);
      await verifier.verifyAndDecodeNotification(JSON.parse(body).signedPayload);
    },
  },
  "aws-sns": sns,
  "aws-sns-subscription": sns,
  anthropic: {
    load: load("@anthropic-ai/sdk"),
    refusal: ["WebhookVerificationError"],
    verify: ({ default: Anthropic }, { secret, headers, body }) =>
      new Anthropic({ apiKey: "unused" }).beta.webhooks.unwrap(body, { headers, key: secret }),
  },
  blockfrost: {
    load: load("@blockfrost/blockfrost-js"),
    refusal: ["SignatureVerificationError"],
    verify: ({ verifyWebhookSignature }, { secret, headers, body }) =>
      verifyWebhookSignature(body, headers["blockfrost-signature"], secret),
  },
  braintree: {
    load: load("braintree"),
    // Its InvalidSignatureError is a name on a plain one.
    refusal: ["Error"],
    sign: (lib, { secret, params }) => {
      const kind = lib.WebhookNotification.Kind.Check;
      const made = braintree(lib, secret, params).webhookTesting.sampleNotification(kind, "unused");
      const [signature, payload] = [made.bt_signature, made.bt_payload].map(encodeURIComponent);
      return { signature, payload };
    },
    verify: (lib, { secret, params, body }) => {
      const form = new URLSearchParams(body);
      const gateway = braintree(lib, secret, params);
      return gateway.webhookNotification.parse(form.get("bt_signature"), form.get("bt_payload"));
    },
  },
  clerk: {
    load: () => import("@clerk/backend/webhooks"),
    refusal: ["Error", "WebhookVerificationError"],
    verify: ({ verifyWebhook }, { secret, headers, body, url }) =>
      verifyWebhook(new Request(url, { method: "POST", headers, body }), { signingSecret: secret }),
  },
  "coinbase-commerce": {
    load: load("coinbase-commerce-node"),
    refusal: ["SignatureVerificationError"],
    verify: ({ Webhook }, { secret, headers, body }) =>
      Webhook.verifyEventBody(body, headers["x-cc-webhook-signature"], secret),
  },
  complycube: {
    load: load("@complycube/api"),
    refusal: ["ComplyCubeError"],
    verify: ({ EventVerifier }, { secret, headers, body }) =>
      new EventVerifier(secret).constructEvent(body, headers["complycube-signature"]),
  },
  contentful: {
    load: load("@contentful/node-apps-toolkit"),
    refusal: ["ExpiredRequestException", "ValidationError"],
    sign: ({ signRequest }, { secret, body, url, timestamp }) => {
      const made = signRequest(secret, { method: "POST", path: path(url), headers: {}, body }, timestamp * 1000);
      return { signature: made["x-contentful-signature"], signed: made["x-contentful-signed-headers"] };
    },
    verify: ({ verifyRequest }, { secret, headers, body, url }) =>
      verifyRequest(secret, { method: "POST", path: path(url), headers, body }),
  },
  // It only verifies; `pynacl` of clients.py signs.
  discord: {
    load: load("discord-interactions"),
    verify: ({ verifyKey }, { secret, headers, body }) =>
      verifyKey(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret),
  },
  "dodo-payments": unwrap("dodopayments", { bearerToken: "unused" }),
  "dropbox-sign": {
    load: load("@dropbox/sign"),
    verify: ({ EventCallbackHelper, EventCallbackRequest }, { secret, body }) => {
      const event = JSON.parse(new URLSearchParams(body).get("json"));
      return EventCallbackHelper.isValid(secret, EventCallbackRequest.init(event));
    },
  },
  easypost: {
    load: load("@easypost/api"),
    // The name of its SignatureVerificationError, minified.
    refusal: ["S"],
    verify: (EasyPost, { secret, headers, body }) =>
      new EasyPost("unused").Utils.validateWebhook(Buffer.from(body), headers, secret),
  },
  finch: client("@tryfinch/finch-api", {}, (webhooks, { secret, headers, body }) =>
    webhooks.verifySignature(body, headers, secret),
  ),
  fingerprint: {
    load: load("@fingerprint/node-sdk"),
    verify: ({ isValidWebhookSignature }, { secret, headers, body }) =>
      isValidWebhookSignature({ header: headers["fpjs-event-signature"], data: Buffer.from(body), secret }),
  },
  getstream: {
    load: load("stream-chat"),
    verify: ({ StreamChat }, { secret, headers, body }) =>
      new StreamChat("unused", secret).verifyWebhook(body, headers["x-signature"]),
  },
  github: {
    load: () => import("@octokit/webhooks-methods"),
    sign: (lib, { secret, body }) => lib.sign(secret, body),
    verify: (lib, { secret, headers, body }) => lib.verify(secret, body, headers["x-hub-signature-256"]),
  },
  gocardless: {
    load: load("gocardless-nodejs"),
    refusal: ["InvalidSignatureError"],
    verify: ({ parse }, { secret, headers, body }) => parse(body, secret, headers["webhook-signature"]),
  },
  highlevel: {
    load: load("@gohighlevel/api-client"),
    verify: (lib, { secret, headers, body }) =>
      new lib.HighLevel({ clientId: "unused", clientSecret: "unused" }).webhooks.verifyEd25519Signature(
        body,
        headers["x-ghl-signature"],
        secret,
      ),
  },
  hookdeck: {
    load: load("@hookdeck/sdk/webhooks/helpers"),
    verify: async ({ verifyWebhookSignature }, { secret, headers, body }) => {
      const verdict = await verifyWebhookSignature({ headers, rawBody: body, signingSecret: secret });
      return verdict.isValidSignature;
    },
  },
  hygraph: {
    load: load("@hygraph/utils"),
    sign: ({ generateWebhookSignature }, { secret, body }) =>
      generateWebhookSignature({ rawPayload: body, environmentName: "master", secret }),
    verify: ({ verifyWebhookSignature }, { secret, headers, body }) => {
      // It takes the fields by their places, and we sign in another order.
      const fields = headers["gcms-signature"].split(", ");
      const ordered = ["sign", "env", "t"].map((name) => fields.find((field) => field.startsWith(`${name}=`)) ?? "");
      return verifyWebhookSignature({ rawPayload: body, signature: ordered.join(", "), secret });
    },
  },
  "kontent-ai": {
    load: load("@kontent-ai/webhook-helper"),
    verify: ({ signatureHelper }, { secret, headers, body }) =>
      signatureHelper.isValidSignatureFromString(body, secret, headers["x-kc-signature"]),
  },
  line: {
    load: load("@line/bot-sdk"),
    verify: ({ validateSignature }, { secret, headers, body }) =>
      validateSignature(body, secret, headers["x-line-signature"]),
  },
  // It only verifies, and refuses with a bare `Error`.
  linear: {
    load: () => import("@linear/sdk/webhooks"),
    refusal: ["Error"],
    sign: (_, { secret, body }) => createHmac("sha256", secret).update(body).digest("hex"),
    verify: ({ LinearWebhookClient }, { secret, headers, body }) =>
      new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"]),
  },
  liveblocks: {
    load: load("@liveblocks/node"),
    refusal: ["Error"],
    verify: ({ WebhookHandler }, { secret, headers, body }) =>
      new WebhookHandler(secret).verifyRequest({ headers, rawBody: body }),
  },
  livekit: {
    load: () => import("livekit-server-sdk"),
    refusal: [
      "Error",
      "JOSEAlgNotAllowed",
      "JOSENotSupported",
      "JWSInvalid",
      "JWSSignatureVerificationFailed",
      "JWTClaimValidationFailed",
      "JWTExpired",
    ],
    sign: ({ AccessToken }, { secret, params, body }) => {
      const token = new AccessToken(params.api_key, secret, { ttl: 300 });
      token.sha256 = createHash("sha256").update(body).digest("base64");
      return token.toJwt();
    },
    verify: ({ WebhookReceiver }, { secret, params, headers, body }) =>
      new WebhookReceiver(params.api_key, secret).receive(body, headers.authorization),
  },
  lithic: client(
    "lithic",
    { apiKey: "unused" },
    (webhooks, { secret, headers, body }) => webhooks.verifySignature(body, headers, secret),
    ["WebhookVerificationError"],
  ),
  mailchannels: {
    load: () => import("mailchannels-sdk"),
    verify: ({ Webhooks }, { secret, headers, body }) =>
      Webhooks.verify({ payload: body, headers, publicKey: secret }),
  },
  "mercado-pago": {
    load: load("mercadopago"),
    refusal: ["InvalidWebhookSignatureError"],
    verify: ({ WebhookSignatureValidator }, { secret, headers, url }) =>
      WebhookSignatureValidator.validate({
        xSignature: headers["x-signature"],
        xRequestId: headers["x-request-id"],
        dataId: new URL(url).searchParams.get("data.id"),
        secret,
      }),
  },
  "messagebird-jwt": {
    load: load("messagebird/lib/webhook-signature-jwt"),
    refusal: ["Error"],
    verify: (lib, { secret, headers, body, url }) => {
      const [token, key] = [headers["messagebird-signature-jwt"], createSecretKey(Buffer.from(secret))];
      return lib.verify(url, Buffer.from(body), token, key);
    },
  },
  "modern-treasury": {
    load: load("modern-treasury"),
    sign: (lib, { secret, body }) => modernTreasury(lib).getSignature(body, { key: secret }),
    verify: (lib, { secret, headers, body }) =>
      modernTreasury(lib).validateSignature(body, headers["x-signature"], { key: secret }),
  },
  mux: client("@mux/mux-node", { tokenId: "unused", tokenSecret: "unused" }, (webhooks, request) =>
    webhooks.verifySignature(request.body, request.headers, request.secret),
  ),
  notion: {
    load: load("@notionhq/client"),
    sign: ({ signWebhookPayload }, { secret, body }) => signWebhookPayload({ body, verificationToken: secret }),
    verify: ({ verifyWebhookSignature }, { secret, headers, body }) =>
      verifyWebhookSignature({ body, signature: headers["x-notion-signature"], verificationToken: secret }),
  },
  onfido: {
    load: load("@onfido/api"),
    refusal: ["OnfidoInvalidSignatureError", "RangeError"],
    verify: ({ WebhookEventVerifier }, { secret, headers, body }) =>
      new WebhookEventVerifier(secret).readPayload(body, headers["x-sha2-signature"]),
  },
  openai: {
    load: load("openai"),
    refusal: ["InvalidWebhookSignatureError"],
    verify: ({ default: OpenAI }, { secret, headers, body }) =>
      new OpenAI({ apiKey: "unused" }).webhooks.unwrap(body, headers, secret),
  },
  opennode: {
    load: load("opennode"),
    verify: ({ OpenNodeClient }, { secret, body }) =>
      new OpenNodeClient(secret).verifySignature(Object.fromEntries(new URLSearchParams(body))),
  },
  orb: client("orb-billing", { apiKey: "unused" }, (webhooks, { secret, headers, body }) =>
    webhooks.verifySignature(body, headers, secret),
  ),
  paddle: {
    load: load("@paddle/paddle-node-sdk"),
    refusal: ["Error"],
    verify: ({ Paddle }, { secret, headers, body }) =>
      new Paddle("unused").webhooks.isSignatureValid(body, secret, headers["paddle-signature"]),
  },
  // It has no function for webhooks; its page checks them with this library, in these steps.
  plaid: {
    load: () => import("jose"),
    refusal: [
      "JOSEAlgNotAllowed",
      "JOSENotSupported",
      "JWSInvalid",
      "JWSSignatureVerificationFailed",
      "JWTClaimValidationFailed",
      "JWTExpired",
    ],
    sign: ({ SignJWT }, { secret, timestamp, body }) =>
      new SignJWT({ request_body_sha256: sha256(body) })
        .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: "a-key-of-the-vendor" })
        .setIssuedAt(timestamp)
        .sign(createPrivateKey(secret)),
    verify: async ({ jwtVerify }, { secret, headers, body }) => {
      const key = createPublicKey({ key: Buffer.from(secret, "base64"), format: "der", type: "spki" });
      const options = { algorithms: ["ES256"], maxTokenAge: "5 min" };
      const { payload } = await jwtVerify(headers["plaid-verification"], key, options);
      return payload.request_body_sha256 === sha256(body);
    },
  },
  "plivo-v2": {
    load: load("plivo"),
    verify: ({ validateSignature }, { secret, headers, url }) =>
      validateSignature(url, headers["x-plivo-signature-v2-nonce"], headers["x-plivo-signature-v2"], secret),
  },
  "plivo-v3": {
    load: load("plivo"),
    verify: ({ validateV3Signature }, { secret, headers, body, url }) => {
      const form = Object.fromEntries(new URLSearchParams(body));
      const nonce = headers["x-plivo-signature-v3-nonce"];
      return validateV3Signature("POST", url, nonce, secret, headers["x-plivo-signature-v3"], form);
    },
  },
  polar: {
    load: () => import("@polar-sh/sdk/webhooks"),
    refusal: ["WebhookVerificationError"],
    verify: ({ validateEvent }, { secret, headers, body }) => {
      try {
        validateEvent(body, headers, secret);
      } catch (error) {
        // It looks at the event after the signature.
        if (error.constructor.name !== "SDKValidationError") {
          throw error;
        }
      }
    },
  },
  pusher: {
    load: load("pusher"),
    verify: (Pusher, { secret, headers, body }) =>
      new Pusher({ appId: "1", key: "key", secret, cluster: "eu" })
        .webhook({ headers: { "x-pusher-key": "key", ...headers }, rawBody: body })
        .isValid(),
  },
  qstash: {
    load: load("@upstash/qstash"),
    refusal: ["JOSEAlgNotAllowed", "JWSInvalid", "JWTClaimValidationFailed", "JWTExpired", "SignatureError"],
    verify: ({ Receiver }, { secret, headers, body, url }) =>
      new Receiver({ currentSigningKey: secret, nextSigningKey: "another-key-of-the-account" }).verify({
        signature: headers["upstash-signature"],
        body,
        url,
      }),
  },
  razorpay: {
    load: load("razorpay"),
    verify: (Razorpay, { secret, headers, body }) =>
      Razorpay.validateWebhookSignature(body, headers["x-razorpay-signature"], secret),
  },
  resend: {
    load: load("resend"),
    refusal: ["WebhookVerificationError"],
    verify: ({ Resend }, { secret, headers, body }) => {
      const [id, timestamp, signature] = ["id", "timestamp", "signature"].map((name) => headers[`svix-${name}`]);
      return new Resend("unused").webhooks.verify({
        payload: body,
        headers: { id, timestamp, signature },
        webhookSecret: secret,
      });
    },
  },
  retell: {
    load: load("retell-sdk"),
    sign: (lib, { secret, body }) => lib.sign(body, secret),
    verify: (lib, { secret, headers, body }) => lib.verify(body, secret, headers["x-retell-signature"]),
  },
  rfc9421: {
    load: load("http-message-signatures"),
    refusal: [
      "Error",
      "ExpiredError",
      "MalformedSignatureError",
      "ParseError",
      "UnacceptableSignatureError",
      "UnsupportedAlgorithmError",
    ],
    sign: async (lib, { secret, timestamp, method, url, body }) => {
      const digest = contentDigest(body);
      const key = lib.createSigner(Buffer.from(secret, "base64"), "hmac-sha256", "k1");
      const paramValues = { created: new Date(timestamp * 1000) };
      const message = { method, url, headers: { "content-digest": digest } };
      const { headers } = await lib.httpbis.signMessage({ key, fields: COVERED, paramValues }, message);
      return { digest, input: headers["Signature-Input"], signature: headers.Signature };
    },
    // The digest is the caller's business. The tolerance is added to the age as well.
    verify: async (lib, { secret, headers, method, url, body }) => {
      const verify = lib.createVerifier(Buffer.from(secret, "base64"), "hmac-sha256");
      const options = {
        keyLookup: async () => ({ algs: ["hmac-sha256"], verify }),
        requiredFields: COVERED,
        requiredParams: ["created"],
        maxAge: 600,
        tolerance: 300,
      };
      const verdict = await lib.httpbis.verifyMessage(options, { method, url, headers });
      return verdict === true && headers["content-digest"] === contentDigest(body);
    },
  },
  sanity: {
    load: load("@sanity/webhook"),
    sign: (lib, { secret, timestamp, body }) => lib.encodeSignatureHeader(body, timestamp * 1000, secret),
    verify: (lib, { secret, headers, body }) =>
      lib.isValidSignature(body, headers["sanity-webhook-signature"], secret),
  },
  // It only verifies; the library that it verifies with signs.
  sendgrid: {
    load: load("@sendgrid/eventwebhook"),
    refusal: ["Error"],
    sign: (_, { secret, timestamp, body }) => {
      const starkbank = require("starkbank-ecdsa");
      const pem = createPrivateKey(secret).export({ type: "sec1", format: "pem" });
      const key = starkbank.PrivateKey.fromPem(pem);
      return starkbank.Ecdsa.sign(`${timestamp}${body}`, key).toBase64();
    },
    verify: ({ EventWebhook }, { secret, headers, body }) => {
      const webhook = new EventWebhook();
      const [signature, timestamp] = ["signature", "timestamp"].map(
        (name) => headers[`x-twilio-email-event-webhook-${name}`],
      );
      return webhook.verifySignature(webhook.convertPublicKeyToECDSA(secret), body, signature, timestamp);
    },
  },
  shopify: {
    load: () => (require("@shopify/shopify-api/adapters/node"), require("@shopify/shopify-api")),
    verify: async ({ shopifyApi, ApiVersion, LogSeverity }, { secret, headers, body }) => {
      const shopify = shopifyApi({
        apiKey: "unused",
        apiSecretKey: secret,
        apiVersion: Object.values(ApiVersion)[0],
        hostName: "localhost",
        isEmbeddedApp: false,
        scopes: [],
        logger: { level: LogSeverity.Error },
      });
      const rawRequest = { method: "POST", url: "/", headers };
      const verdict = await shopify.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} });
      return verdict.valid;
    },
  },
  slack: {
    load: load("@slack/bolt/dist/receivers/verify-request"),
    refusal: ["Error"],
    verify: ({ verifySlackRequest }, { secret, headers, body }) =>
      verifySlackRequest({ signingSecret: secret, headers, body }),
  },
  "smile-id": {
    load: load("smile-identity-core"),
    sign: ({ Signature }, { secret, timestamp, params }) =>
      new Signature(params.partner_id, secret).generate_signature(new Date(timestamp * 1000).toISOString()),
    verify: ({ Signature }, { secret, params, body }) => {
      const { timestamp, signature } = JSON.parse(body);
      return new Signature(params.partner_id, secret).confirm_signature(timestamp, signature);
    },
  },
  standardwebhooks: standard("standardwebhooks"),
  stripe: {
    load: () => import("stripe"),
    refusal: ["StripeSignatureVerificationError"],
    sign: ({ default: Stripe }, { secret, timestamp, body }) =>
      Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp }),
    verify: ({ default: Stripe }, { secret, headers, body }) =>
      Stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret),
  },
  svix: standard("svix"),
  // It only verifies; OpenSSL signs.
  telnyx: {
    load: load("telnyx/lib/webhooks"),
    refusal: ["TelnyxWebhookVerificationError"],
    sign: (_, { secret, timestamp, body }) => ed25519(secret, `${timestamp}|${body}`),
    verify: ({ TelnyxWebhook }, { secret, headers, body }) => new TelnyxWebhook(secret).verify(body, headers),
  },
  // The caller checks the address of the keys, and gives the key for it.
  truelayer: {
    load: load("truelayer-signing"),
    refusal: ["SignatureError", "Error"],
    sign: (lib, { secret, timestamp, url, body }) => {
      const time = new Date(timestamp * 1000).toISOString();
      const headers = { "X-TL-Webhook-Timestamp": time };
      const request = { kid: "k1", privateKeyPem: secret, method: "POST", path: path(url), headers, body };
      return { time, signature: lib.sign(request) };
    },
    verify: (lib, { secret, headers, method, url, body }) => {
      const signature = headers["tl-signature"];
      lib.verify({ publicKeyPem: secret, signature, method, path: path(url), headers, body });
      return true;
    },
  },
  twilio: {
    load: load("twilio"),
    sign: ({ getExpectedTwilioSignature }, { secret, body, url }) => getExpectedTwilioSignature(secret, url, form(body)),
    verify: ({ validateRequest }, { secret, headers, body, url }) =>
      validateRequest(secret, headers["x-twilio-signature"], url, form(body)),
  },
  // No library of Standard Webhooks has version 1a yet: OpenSSL does as the specification says.
  v1a: {
    load: () => null,
    sign: (_, { secret, id, timestamp, body }) => `v1a,${ed25519(secret, `${id}.${timestamp}.${body}`)}`,
    verify: (_, { secret, headers, body }) => {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const [version, signature] = headers["webhook-signature"].split(",");
      const key = createPublicKey({ key: Buffer.from(secret, "base64"), format: "der", type: "spki" });
      return version === "v1a" && verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64"));
    },
  },
  viber: {
    load: load("viber-bot/lib/message/message-validator"),
    verify: (MessageValidator, { secret, headers, body }) =>
      new MessageValidator({ debug() {} }, secret).validateMessage(headers["x-viber-content-signature"], body),
  },
  vonage: {
    load: load("@vonage/jwt"),
    verify: ({ verifySignature }, { secret, headers }) =>
      verifySignature(headers.authorization.replace("Bearer ", ""), secret),
  },
  whop: unwrap("@whop/sdk"),
  workos: {
    load: load("@workos-inc/node"),
    refusal: ["SignatureVerificationException"],
    sign: ({ WorkOS }, { secret, timestamp, body }) =>
      new WorkOS("unused").webhooks.computeSignature(timestamp * 1000, JSON.parse(body), secret),
    verify: ({ WorkOS }, { secret, headers, body }) =>
      new WorkOS("unused").webhooks.verifyHeader({
        payload: JSON.parse(body),
        sigHeader: headers["workos-signature"],
        secret,
      }),
  },
};

function modernTreasury({ default: ModernTreasury }) {
  return new ModernTreasury({ apiKey: "unused", organizationID: "unused" }).webhooks;
}
