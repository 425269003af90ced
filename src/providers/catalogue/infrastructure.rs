//! Infrastructure and security.

entries! {
    INFRASTRUCTURE, INFRASTRUCTURE_FACTS: "Infrastructure and security"

    airtable = "airtable" {
        title: "Airtable",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex [after "hmac-sha256="]
            at [header "X-Airtable-Content-MAC"],
            secret Base64
        ],
        delivery_id: [json "/webhook/id"],
        pitfalls: "The secret is base64. The body says only that something changed: list the \
            payloads through the API.",
    }

    azure_event_grid = "azure-event-grid" {
        title: "Azure Event Grid (delivery key)",
        docs: "https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema",
        evidence: Documented,
        scheme: [token at [query "{param:place}"]],
        event_type: [json "/0/eventType"],
        delivery_id: [json "/0/id"],
        params: ["place" = "token"],
        handshake: AZURE_EVENT_GRID "`POST` of a validation event, whose code is repeated as \
            JSON; for CloudEvents `OPTIONS` with an origin, which must be in `allowed_origins`, \
            answered with `allowed_rate` (`*` by default). Both need the token",
        pitfalls: "The secret is a query parameter of the URL that you registered, so access logs \
            show it: the parameter `place` is its name. One body carries several events. The \
            subscription has to be confirmed by a handshake first.",
    }

    box_com = "box" {
        title: "Box",
        docs: "https://www.npmjs.com/package/box-node-sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}{ts}", Base64
            at [header "BOX-SIGNATURE-PRIMARY"] or [header "BOX-SIGNATURE-SECONDARY"],
            time Rfc3339 at [header "BOX-DELIVERY-TIMESTAMP"] within (600, 0),
            require "BOX-SIGNATURE-VERSION" = "1",
            require "BOX-SIGNATURE-ALGORITHM" = "HmacSHA256"
        ],
        event_type: [json "/trigger"],
        delivery_id: [header "BOX-DELIVERY-ID"],
        pitfalls: "The time follows the body, and one in the future is refused. Two keys sign at \
            once; either is accepted.",
    }

    cloudevents_handshake = "cloudevents-handshake" or "cloudevents" {
        title: "CloudEvents HTTP webhook (abuse protection)",
        docs: "https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
        evidence: Documented,
        scheme: [as bearer],
        event_type: [header "ce-type"],
        delivery_id: [header "ce-id"],
        handshake: CLOUDEVENTS "`OPTIONS` with an origin, which must be in `allowed_origins`, \
            answered with `allowed_rate` (`*` by default)",
        pitfalls: "The handshake is about consent. Only the bearer token authenticates, and \
            nothing is signed.",
    }

    cloudflare_notifications = "cloudflare-notifications" {
        title: "Cloudflare Notifications",
        docs: "https://developers.cloudflare.com/notifications",
        evidence: Reported,
        scheme: [token at [header "cf-webhook-auth"]],
        pitfalls: "The secret is sent as it is.",
    }

    convoy = "convoy" {
        title: "Convoy (advanced signatures)",
        docs: "https://github.com/frain-dev/convoy",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts},{body}", Hex [fields ',' "v1"] at [header "X-Convoy-Signature"],
            time Seconds at [field "t"] within 300
        ],
        variant "simple-hex": [HmacSha256 of "{body}", Hex at [header "X-Convoy-Signature"]],
        variant "simple-base64": [HmacSha256 of "{body}", Base64 at [header "X-Convoy-Signature"]],
        pitfalls: "Header, hash and encoding are settings of the project. The variants \
            `simple-hex` and `simple-base64` are its simple mode, which signs no time.",
    }

    dropbox = "dropbox" {
        title: "Dropbox",
        docs: "https://www.dropbox.com/developers/reference/webhooks",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Dropbox-Signature"]],
        handshake: DROPBOX "`GET` with `challenge` in the query, repeated as text",
        bodies: alike,
        pitfalls: "The secret is the app secret. The body only names the accounts that changed: \
            ask the API what did.",
    }

    fastly_ngwaf = "fastly-ngwaf" or "signal-sciences" {
        title: "Fastly Next-Gen WAF (Signal Sciences)",
        docs: "https://www.fastly.com/documentation/guides/next-gen-waf/integrations/generic-webhooks/",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-SigSci-Signature"]],
        event_type: [json "/type"],
        pitfalls: "The encoding was not confirmed by the vendor's text.",
    }

    fingerprint = "fingerprint" {
        title: "Fingerprint",
        docs: "https://www.npmjs.com/package/@fingerprint/node-sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}", Hex [list ',' after "v1="] at [header "FPJS-Event-Signature"]
        ],
        pitfalls: "Signing is available on request.",
    }

    hookdeck = "hookdeck" {
        title: "Hookdeck Event Gateway",
        docs: "https://www.npmjs.com/package/@hookdeck/sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}", Base64
            at [header "X-Hookdeck-Signature"] or [header "X-Hookdeck-Signature-2"]
        ],
        delivery_id: [header "X-Hookdeck-EventID"],
        pitfalls: "A second header is sent while a secret is being replaced; either is accepted.",
    }

    pusher = "pusher" {
        title: "Pusher Channels",
        docs: "https://www.npmjs.com/package/pusher",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Pusher-Signature"]],
        event_type: [json "/events/0/name"],
        pitfalls: "`X-Pusher-Key` names the key that signed. `/time_ms` is in the signed body, and \
            is not checked here.",
    }

    segment = "segment" or "twilio-segment" {
        title: "Segment (Webhooks destination)",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Hex at [header "X-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/messageId"],
        pitfalls: "When events are batched, only the first one is signed, and the body cannot be \
            verified: switch batching off.",
    }

    snyk = "snyk" {
        title: "Snyk",
        docs: "https://docs.snyk.io/",
        evidence: Reported,
        scheme: [as hub_sha256],
        event_type: [header "X-Snyk-Event"],
        pitfalls: "The type is in a header that is not signed.",
    }

    standard_webhooks_v1a = "standard-webhooks-v1a" {
        title: "Standard Webhooks (asymmetric v1a)",
        docs: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
        evidence: Documented,
        scheme: [
            Ed25519 of "{header:webhook-id}.{ts}.{body}", Base64 [list ' ' after "v1a,"]
            at [header "webhook-signature"],
            time Seconds at [header "webhook-timestamp"] within 300
        ],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Only the signatures of version `v1a`; the keys are written as `whpk_` and \
            base64. `standard-webhooks` takes both versions.",
    }

    tailscale = "tailscale" {
        title: "Tailscale",
        docs: "https://github.com/tailscale/tailscale",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"]
            at [header "Tailscale-Webhook-Signature"],
            time Seconds at [field "t"] within 300
        ],
        event_type: [json "/0/type"],
        pitfalls: "One body carries several events.",
    }
}
