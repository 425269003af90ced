//! Content, media and AI.

entries! {
    CONTENT, CONTENT_FACTS: "Content, media and AI"

    anthropic = "anthropic" {
        title: "Anthropic",
        docs: "https://www.npmjs.com/package/@anthropic-ai/sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{header:webhook-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "webhook-signature"],
            time Seconds at [header "webhook-timestamp"] within 300,
            secret AnyBase64 "whsec_"
        ],
        event_type: [json "/data/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "The library follows Standard Webhooks, so the secret is base64 after \
            `whsec_`. A short one, as in the samples, is accepted with a warning.",
    }

    cloudflare_stream = "cloudflare-stream" {
        title: "Cloudflare Stream",
        docs: "https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "sig1"] at [header "Webhook-Signature"],
            time Seconds at [field "time"] within off
        ],
        event_type: [json "/status/state"],
        delivery_id: [json "/uid"],
        pitfalls: "Cloudflare says to discard old requests without giving an age: set \
            `tolerance`.",
    }

    cursor = "cursor" {
        title: "Cursor",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Webhook-Signature"]],
        event_type: [json "/event"],
        delivery_id: [header "X-Webhook-ID"],
        pitfalls: "The delivery id is in a header that is not signed.",
    }

    deepgram = "deepgram" {
        title: "Deepgram",
        evidence: Reported,
        scheme: [token at [header "dg-token"]],
        delivery_id: [json "/metadata/request_id"],
        pitfalls: "The token is the identifier of an API key, which is not a secret of the webhook \
            only. Credentials in the callback URL are the alternative.",
    }

    elevenlabs = "elevenlabs" {
        title: "ElevenLabs",
        docs: "https://www.npmjs.com/package/@elevenlabs/elevenlabs-js",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v0"] at [header "ElevenLabs-Signature"],
            time Seconds at [field "t"] within 1800
        ],
        event_type: [json "/type"],
        pitfalls: "The time is in the signature header; the vendor's library checks only its \
            age.",
    }

    fal_ai = "fal-ai" {
        title: "fal.ai",
        evidence: Reported,
        scheme: [
            Ed25519 of "{header:X-Fal-Webhook-Request-Id}\n{header:X-Fal-Webhook-User-Id}\n{ts}\n{body|sha256hex}", Hex
            at [header "X-Fal-Webhook-Signature"],
            time Seconds at [header "X-Fal-Webhook-Timestamp"] within 300
        ],
        delivery_id: [header "X-Fal-Webhook-Request-Id"],
        keys: [set "https://rest.fal.ai/.well-known/jwks.json"],
        pitfalls: "Without `remote_keys`, configure the set as the public key, and replace it when it \
            changes.",
    }

    figma = "figma" {
        title: "Figma",
        evidence: Assumed,
        scheme: [token at [json "/passcode"]],
        event_type: [json "/event_type"],
        delivery_id: [json "/webhook_id"],
        pitfalls: "The passcode is in the body, so logs of bodies show it. The id in the body is \
            that of the webhook.",
    }

    hugging_face = "hugging-face" {
        title: "Hugging Face",
        evidence: Assumed,
        scheme: [token at [header "X-Webhook-Secret"]],
        event_type: [json "/event/action"],
        pitfalls: "The secret is sent as it is in `X-Webhook-Secret`; nothing is signed.",
    }

    hygraph = "hygraph" {
        title: "Hygraph",
        docs: "https://www.npmjs.com/package/@hygraph/utils",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{{\"Body\":{body|jsonstr},\"EnvironmentName\":{field:env|jsonstr},\"TimeStamp\":{ts}}}", Base64 [fields ',' "sign"]
            at [header "gcms-signature"],
            time Milliseconds at [field "t"] within off,
            spaces written
        ],
        event_type: [json "/operation"],
        pitfalls: "The signed text is a JSON object that contains the body as a string; the time \
            is in milliseconds.",
    }

    kontent_ai = "kontent-ai" {
        title: "Kontent.ai",
        docs: "https://www.npmjs.com/package/@kontent-ai/webhook-helper",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-KC-Signature"]],
        pitfalls: "Each webhook has a secret of its own.",
    }

    mux = "mux" {
        title: "Mux",
        docs: "https://www.npmjs.com/package/@mux/mux-node",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "Mux-Signature"],
            time Seconds at [field "t"] within 300
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "The vendor's library checks only the age of the time.",
    }

    openai = "openai" {
        title: "OpenAI",
        docs: "https://www.npmjs.com/package/openai",
        evidence: Ran,
        scheme: [as standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "A secret without `whsec_` is base64 here; OpenAI's library would take its text \
            as the key.",
    }

    replicate = "replicate" {
        title: "Replicate",
        evidence: Reported,
        scheme: [as standard_webhooks],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "The event has no type: look at `/status` of the prediction.",
    }

    retell = "retell" {
        title: "Retell AI",
        docs: "https://www.npmjs.com/package/retell-sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}{ts}", Hex [fields ',' "d"] at [header "x-retell-signature"],
            time Milliseconds at [field "v"] within 300
        ],
        pitfalls: "The secret is the API key, with which much more can be done than sign webhooks. \
            The time follows the body.",
    }

    sanity = "sanity" {
        title: "Sanity",
        docs: "https://www.npmjs.com/package/@sanity/webhook",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}.{body}", Base64Url [fields ',' "v1"]
            at [header "sanity-webhook-signature"],
            time Milliseconds at [field "t"] within off
        ],
        delivery_id: [header "idempotency-key"],
        pitfalls: "The signature is URL-safe base64 without padding, and the time is in \
            milliseconds. No window is published: set `tolerance`.",
    }

    sightengine = "sightengine" {
        title: "Sightengine",
        docs: "https://sightengine.com/docs/callback-signature",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "Sightengine-Signature"],
            time Seconds at [field "t"] within off
        ],
        pitfalls: "No window is published: set `tolerance`.",
    }

    strapi = "strapi" {
        title: "Strapi",
        docs: "https://docs.strapi.io/cms/backend-customization/webhooks",
        evidence: Assumed,
        scheme: [as authorization],
        event_type: [header "X-Strapi-Event"],
        pitfalls: "Strapi signs nothing: the header is a static one that you configure. It should \
            be long and random.",
    }

    webflow = "webflow" {
        title: "Webflow",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}:{body}", Hex at [header "x-webflow-signature"],
            time Milliseconds at [header "x-webflow-timestamp"] within 300
        ],
        event_type: [json "/triggerType"],
        pitfalls: "Only webhooks that were made through the API are signed, with the secret of the \
            app.",
    }
}
