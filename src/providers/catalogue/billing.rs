//! Billing and accounting.

entries! {
    BILLING, BILLING_FACTS: "Billing and accounting"

    bill_com = "bill-com" or "bill" {
        title: "BILL",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "x-bill-sha-signature"]],
        event_type: [json "/metadata/eventType"],
        delivery_id: [json "/metadata/eventId"],
        pitfalls: "Nothing but the body is signed, so keep the ids of events that you have \
            handled.",
    }

    chargebee = "chargebee" {
        title: "Chargebee",
        evidence: Reported,
        scheme: [basic],
        event_type: [json "/event_type"],
        delivery_id: [json "/id"],
        pitfalls: "The credentials are those that you put into the webhook's settings; nothing is \
            signed. Fetch the event by its id before you act on it.",
    }

    chargify = "chargify" or "maxio" {
        title: "Maxio (Chargify)",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex at [header "X-Chargify-Webhook-Signature-Hmac-Sha-256"]
        ],
        event_type: [form "event"],
        delivery_id: [header "X-Chargify-Webhook-Id"],
        pitfalls: "The body is a form; the id of the webhook is in a header that is not signed.",
    }

    lemonsqueezy = "lemonsqueezy" or "lemon-squeezy" {
        title: "Lemon Squeezy",
        docs: "https://github.com/lmsqueezy/nextjs-billing",
        evidence: Reported,
        scheme: [as x_signature],
        event_type: [header "X-Event-Name"],
        pitfalls: "The event's name is in a header that is not signed; `/meta/event_name` of the \
            body is.",
    }

    orb = "orb" {
        title: "Orb",
        docs: "https://www.npmjs.com/package/orb-billing",
        evidence: Ran,
        scheme: [
            HmacSha256 of "v1:{ts}:{body}", Hex [list ' ' after "v1="]
            at [header "X-Orb-Signature"],
            time IsoUtc at [header "X-Orb-Timestamp"] within 300
        ],
        pitfalls: "The time is in ISO 8601 without a zone, and means UTC.",
    }

    paddle = "paddle" {
        title: "Paddle Billing",
        docs: "https://developer.paddle.com/webhooks/signature-verification",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}:{body}", Hex [fields ';' "h1"] at [header "Paddle-Signature"],
            time Seconds at [field "ts"] within 5
        ],
        event_type: [json "/event_type"],
        delivery_id: [json "/notification_id"],
        pitfalls: "Paddle's own library accepts a request for five seconds only; raise `tolerance` \
            if your clock or your proxies need more. Separators are a colon and a semicolon.",
    }

    polar = "polar" {
        title: "Polar",
        docs: "https://www.npmjs.com/package/@polar-sh/sdk",
        evidence: Ran,
        scheme: [as text_standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "The secret is used as text: Polar's library encodes it in base64 only because \
            the next library decodes it.",
    }

    quickbooks = "quickbooks" or "intuit" {
        title: "QuickBooks / Intuit",
        docs: "https://github.com/IntuitDeveloper/SampleApp-Webhooks-nodejs",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "intuit-signature"]],
        event_type: [json "/eventNotifications/0/dataChangeEvent/entities/0/operation"],
        pitfalls: "The secret is the verifier token of the app. One body carries the changes of \
            several companies.",
    }

    recurly = "recurly" {
        title: "Recurly",
        docs: "https://docs.recurly.com/docs/signature-verification",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [positional ',' 1] at [header "recurly-signature"],
            time Milliseconds at [field "0"] within 300
        ],
        event_type: [json "/event_type"],
        delivery_id: [json "/id"],
        pitfalls: "The time is in milliseconds. Only notifications in JSON are signed; those in \
            XML use Basic.",
    }

    revenuecat = "revenuecat" {
        title: "RevenueCat (signed)",
        docs: "https://www.revenuecat.com/docs/integrations/webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"]
            at [header "X-RevenueCat-Webhook-Signature"],
            time Seconds at [field "t"] within off
        ],
        event_type: [json "/event/type"],
        delivery_id: [json "/event/id"],
        pitfalls: "Signing is opt-in. Without it RevenueCat sends only a fixed `Authorization` \
            header: see `revenuecat-token`.",
    }

    revenuecat_token = "revenuecat-token" {
        title: "RevenueCat (Authorization)",
        docs: "https://www.revenuecat.com/docs/integrations/webhooks",
        evidence: Documented,
        scheme: [as authorization],
        event_type: [json "/event/type"],
        delivery_id: [json "/event/id"],
        pitfalls: "The secret is the whole value of the header, which you choose. Prefer signing \
            (`revenuecat`).",
    }

    xero = "xero" {
        title: "Xero",
        docs: "https://developer.xero.com/documentation/guides/webhooks/overview/",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "x-xero-signature"]],
        event_type: [json "/events/0/eventType"],
        handshake: XERO "several requests without events, some of them wrongly signed: 200 for \
            the ones, 401 for the others",
        pitfalls: "The secret is the webhook key as it is shown; do not decode it, although it \
            looks like base64. Xero first sends requests that are signed wrongly on purpose, and \
            expects 401.",
    }
}
