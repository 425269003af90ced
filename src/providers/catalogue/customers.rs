//! Customers and support.

entries! {
    CUSTOMERS, CUSTOMERS_FACTS: "Customers and support"

    attio = "attio" {
        title: "Attio",
        docs: "https://docs.attio.com/rest-api/guides/webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex
            at [header "Attio-Signature"] or [header "X-Attio-Signature"]
        ],
        event_type: [json "/events/0/event_type"],
        delivery_id: [header "Idempotency-Key"],
        pitfalls: "The header has two names; either is accepted.",
    }

    autotask = "autotask" or "datto-autotask" {
        title: "Datto Autotask",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Base64 [after "sha1="] at [header "X-Hook-Signature"]],
        event_type: [json "/Action"],
        delivery_id: [json "/Guid"],
        pitfalls: "HMAC-SHA1 is all that the product offers.",
    }

    chatwoot = "chatwoot" {
        title: "Chatwoot",
        docs: "https://developers.chatwoot.com",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [after "sha256="] at [header "X-Chatwoot-Signature"],
            time Seconds at [header "X-Chatwoot-Timestamp"] within off
        ],
        delivery_id: [header "X-Chatwoot-Delivery"],
        pitfalls: "The delivery id is in a header that is not signed. No window is published: set \
            `tolerance`.",
    }

    close = "close" {
        title: "Close",
        docs: "https://developer.close.com",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}{body}", Hex at [header "close-sig-hash"],
            time Seconds at [header "close-sig-timestamp"] within off,
            secret Hex
        ],
        delivery_id: [json "/event/id"],
        retry_hours: 72,
        pitfalls: "The key is in hex. A kind of event is the object's type and the action \
            together. Failed deliveries are tried again, at growing intervals.",
    }

    folk = "folk" {
        title: "folk",
        evidence: Reported,
        scheme: [as standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    freshchat = "freshchat" {
        title: "Freshchat",
        evidence: Reported,
        scheme: [RsaPkcs1Sha256 of "{body}", Base64 at [header "X-Freshchat-Signature"]],
        pitfalls: "The public key is in the webhook's settings. This is RSA; implementations that \
            compute an HMAC are wrong.",
    }

    freshdesk = "freshdesk" {
        title: "Freshdesk",
        evidence: Reported,
        scheme: [basic],
        pitfalls: "User and password are those of the automation rule; nothing is signed.",
    }

    front_app = "front-app" or "front" {
        title: "Front (application webhooks)",
        docs: "https://dev.frontapp.com/docs/application-webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}:{body}", Base64 at [header "X-Front-Signature"],
            time Milliseconds at [header "X-Front-Request-Timestamp"] within 300
        ],
        handshake: FRONT_APP "a signed `POST` of type `sync` with `X-Front-Challenge`, repeated \
            as text",
        pitfalls: "The time is in milliseconds. A failed delivery is tried again up to three times, \
            and the endpoint is switched off after repeated failures.",
    }

    front_rule = "front-rule" {
        title: "Front (rule webhooks)",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Base64 at [header "X-Front-Signature"]],
        time_limit: 5,
        pitfalls: "HMAC-SHA1 under the API secret, without a time or an id. A failed delivery is \
            not tried again.",
    }

    helpscout = "helpscout" {
        title: "Help Scout",
        docs: "https://developer.helpscout.com/webhooks/",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Base64 at [header "X-HelpScout-Signature"]],
        event_type: [header "X-HelpScout-Event"],
        pitfalls: "HMAC-SHA1 is all that the vendor offers. The event's name is in a header that \
            is not signed.",
    }

    highlevel = "highlevel" or "gohighlevel" {
        title: "HighLevel (GoHighLevel)",
        docs: "https://www.npmjs.com/package/@gohighlevel/api-client",
        evidence: Documented,
        scheme: [
            Ed25519 of "{body}", Base64 at [header "X-GHL-Signature"],
            time Rfc3339 at [json "/timestamp"] within off
        ],
        event_type: [json "/type"],
        delivery_id: [json "/webhookId"],
        pitfalls: "The vendor publishes one Ed25519 key for all receivers. The older RSA header is \
            no longer sent.",
    }

    hubspot_v1 = "hubspot-v1" {
        title: "HubSpot v1",
        docs: "https://developers.hubspot.com/docs/api/webhooks/validating-requests",
        evidence: Ran,
        scheme: [
            Sha256 of "{secret}{body}", Hex at [header "X-HubSpot-Signature"],
            require "X-HubSpot-Signature-Version" = "v1"
        ],
        event_type: [json "/0/subscriptionType"],
        delivery_id: [json "/0/eventId"],
        pitfalls: "A plain digest with the secret in front of the body, which is open to length \
            extension: prefer `hubspot-v3`.",
    }

    hubspot_v2 = "hubspot-v2" {
        title: "HubSpot v2",
        docs: "https://developers.hubspot.com/docs/faq/v2-request-validation",
        evidence: Ran,
        scheme: [
            Sha256 of "{secret}{method}{url}{body}", Hex at [header "X-HubSpot-Signature"],
            require "X-HubSpot-Signature-Version" = "v2"
        ],
        event_type: [json "/0/subscriptionType"],
        delivery_id: [json "/0/eventId"],
        pitfalls: "Method and URL are signed: the parameter `url` has to be what HubSpot calls, \
            behind a proxy as well. A plain digest with the secret in front, which is open to \
            length extension: prefer `hubspot-v3`, which also signs the time.",
    }

    hubspot_v3 = "hubspot-v3" or "hubspot" {
        title: "HubSpot v3",
        docs: "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{method}{url|hubspot_decode}{body}{ts}", Base64
            at [header "X-HubSpot-Signature-v3"],
            time Milliseconds at [header "X-HubSpot-Request-Timestamp"] within 300
        ],
        event_type: [json "/0/subscriptionType"],
        delivery_id: [json "/0/eventId"],
        pitfalls: "The parameter `url` has to be what HubSpot calls. HubSpot decodes some percent \
            escapes of it before it signs, and its documentation and its library differ on which: \
            keep the URL free of them.",
    }

    intercom = "intercom" {
        title: "Intercom",
        docs: "https://developers.intercom.com/docs/references/webhooks/webhook-models",
        evidence: Reported,
        scheme: [as hub_sha1],
        event_type: [json "/topic"],
        delivery_id: [json "/id"],
        handshake: INTERCOM "`HEAD`, answered by an empty 200",
        pitfalls: "The secret is the client secret of the app. A HEAD request may probe the URL.",
    }

    jobber = "jobber" {
        title: "Jobber",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-Jobber-Hmac-SHA256"]],
        event_type: [json "/data/webHookEvent/topic"],
        pitfalls: "The secret is the client secret of the app.",
    }

    jobdiva = "jobdiva" {
        title: "JobDiva",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Hex at [header "X-Hub-Signature"]],
        pitfalls: "Known from one integration only.",
    }

    livechat = "livechat" or "text-platform" {
        title: "LiveChat (Text Platform)",
        docs: "https://platform.text.com/docs/management/webhooks",
        evidence: Reported,
        scheme: [token at [json "/secret_key"]],
        pitfalls: "The secret is in the body, so logs of bodies show it.",
    }

    pipedrive = "pipedrive" {
        title: "Pipedrive",
        docs: "https://developers.pipedrive.com/docs/api/v1/Webhooks",
        evidence: Reported,
        scheme: [basic],
        pitfalls: "User and password are those of the webhook's settings; nothing is signed.",
    }

    sellsy = "sellsy" {
        title: "Sellsy",
        evidence: Reported,
        scheme: [Sha1 of "{secret}{body}", Hex at [header "x-webhook-signature"]],
        event_type: [json "/eventType"],
        pitfalls: "A plain SHA-1 with the secret in front of the body, which is open to length \
            extension.",
    }

    streak = "streak" {
        title: "Streak",
        evidence: Reported,
        scheme: [token at [header "X-Streak-Webhook-Token"]],
        pitfalls: "The token is a header of your choice.",
    }

    zendesk = "zendesk" {
        title: "Zendesk",
        docs: "https://developer.zendesk.com/documentation/webhooks/verifying/",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}{body}", Base64 at [header "X-Zendesk-Webhook-Signature"],
            time Rfc3339 at [header "X-Zendesk-Webhook-Signature-Timestamp"] within off
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "One older page of the vendor has the body in front of the time; the current one \
            is followed here. The body may be empty. No window is published: set `tolerance`.",
    }
}
