//! Messaging and social media.

entries! {
    MESSAGING, MESSAGING_FACTS: "Messaging and social media"

    aircall = "aircall" {
        title: "Aircall",
        docs: "https://developer.aircall.io/tutorials/webhooks-guide/",
        evidence: Reported,
        scheme: [token at [json "/token"]],
        pitfalls: "The token is in the body, so logs of bodies show it.",
    }

    discord = "discord" {
        title: "Discord",
        docs: "https://www.npmjs.com/package/discord-interactions",
        evidence: Ran,
        scheme: [
            Ed25519 of "{ts}{body}", Hex at [header "X-Signature-Ed25519"],
            time Seconds at [header "X-Signature-Timestamp"] within off
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        handshake: DISCORD "a signed ping: `type` 1 of an interaction is answered by the same, \
            `type` 0 of a webhook event by 204",
        answer: [unless json "/event"],
        pitfalls: "Discord sends requests with wrong signatures now and then, and removes the \
            endpoint if they are not refused. Answer a ping (`type` 1) with the same type. No \
            window is published: set `tolerance`.",
    }

    getstream = "getstream" or "stream-chat" {
        title: "Stream (GetStream)",
        docs: "https://www.npmjs.com/package/stream-chat",
        evidence: Ran,
        scheme: [as x_signature],
        event_type: [json "/type"],
        pitfalls: "The secret is the API secret. The signature is over the body before \
            compression, so switch compression off or decompress in front of the verifier.",
    }

    kick = "kick" {
        title: "Kick",
        evidence: Reported,
        scheme: [
            RsaPkcs1Sha256 of "{header:Kick-Event-Message-Id}.{ts}.{body}", Base64
            at [header "Kick-Event-Signature"],
            time Rfc3339 at [header "Kick-Event-Message-Timestamp"] within off
        ],
        event_type: [header "Kick-Event-Type"],
        delivery_id: [header "Kick-Event-Message-Id"],
        pitfalls: "The vendor publishes one RSA key for all receivers. No window is published: set \
            `tolerance`.",
    }

    ko_fi = "ko-fi" {
        title: "Ko-fi",
        evidence: Assumed,
        scheme: [token at [form "data" json "/verification_token"]],
        event_type: [form "data" json "/type"],
        delivery_id: [form "data" json "/message_id"],
        pitfalls: "The token is in the JSON of a form field, so logs of bodies show it.",
    }

    line = "line" {
        title: "LINE",
        docs: "https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Base64 at [header "x-line-signature"]],
        event_type: [json "/events/0/type"],
        delivery_id: [json "/events/0/webhookEventId"],
        handshake: LINE "a signed `POST` without events, answered by an empty 200",
        pitfalls: "One body carries many events, each with an id.",
    }

    meta = "meta" or "facebook" or "instagram" or "messenger" or "whatsapp" {
        title: "Meta (Facebook, Instagram, WhatsApp, Messenger)",
        docs: "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
        evidence: Reported,
        scheme: [as hub],
        event_type: [json "/entry/0/changes/0/field"],
        delivery_id: [json "/entry/0/id"],
        handshake: META "`GET` with `hub.verify_token` in the query, which must be \
            `verify_token`; `hub.challenge` is repeated as text",
        pitfalls: "The secret is the app secret. Meta escapes letters beyond ASCII in the body, \
            and signs what it sends. A subscription is confirmed by a GET with a challenge. One \
            body carries many changes.",
    }

    ms_teams_outgoing = "ms-teams-outgoing" or "microsoft-teams" or "teams" {
        title: "Microsoft Teams outgoing webhook",
        evidence: Assumed,
        scheme: [
            HmacSha256 of "{body}", Base64 [after "HMAC "] at [header "Authorization"],
            secret Base64
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        time_limit: 5,
        pitfalls: "The secret is base64, and your answer within five seconds is the reply in the \
            channel.",
    }

    patreon = "patreon" {
        title: "Patreon",
        evidence: Reported,
        scheme: [HmacMd5 of "{body}", Hex at [header "X-Patreon-Signature"]],
        event_type: [header "X-Patreon-Event"],
        pitfalls: "HMAC-MD5 is all that the vendor offers.",
    }

    plivo_v2 = "plivo-v2" {
        title: "Plivo (V2)",
        docs: "https://www.npmjs.com/package/plivo",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{url|without_query}{header:X-Plivo-Signature-V2-Nonce}", Base64
            at [header "X-Plivo-Signature-V2"],
            covers nothing
        ],
        pitfalls: "Only the URL without its query and a nonce are signed: whoever has seen one \
            request can send any body and any query.",
    }

    sinch = "sinch" or "sinch-verification" or "sinch-voice" {
        title: "Sinch (Verification, Voice callbacks)",
        docs: "https://developers.sinch.com/docs/verification/api-reference/authentication/callback-signed-request",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{method}\n{body|md5b64}\n{header:content-type}\nx-timestamp:{ts}\n{path}", Base64 [after "Application {param:key_id}:" or "Service {param:key_id}:"]
            at [header "Authorization"],
            time Rfc3339 at [header "x-timestamp"] within off,
            secret Base64
        ],
        pitfalls: "The key id in front of the signature is the parameter `key_id`. Which text an \
            empty body gives is not established.",
    }

    sinch_conversation = "sinch-conversation" {
        title: "Sinch Conversation",
        docs: "https://pypi.org/project/sinch",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}.{header:x-sinch-webhook-signature-nonce}.{ts}", Base64
            at [header "x-sinch-webhook-signature"],
            time Seconds at [header "x-sinch-webhook-signature-timestamp"] within off
        ],
        pitfalls: "The header that names the algorithm is not signed, so only HMAC-SHA256 is \
            accepted. No window is published: set `tolerance`.",
    }

    sinch_numbers = "sinch-numbers" {
        title: "Sinch Numbers",
        docs: "https://pypi.org/project/sinch",
        evidence: Documented,
        scheme: [HmacSha1 of "{body}", Hex at [header "X-Sinch-Signature"]],
        pitfalls: "HMAC-SHA1 is all that the product offers.",
    }

    telegram = "telegram" or "telegram-bot" {
        title: "Telegram Bot API",
        docs: "https://core.telegram.org/bots/api#setwebhook",
        evidence: Documented,
        scheme: [token at [header "X-Telegram-Bot-Api-Secret-Token"]],
        delivery_id: [json "/update_id"],
        pitfalls: "The secret token has 1 to 256 letters, digits, `_` and `-`. The kind of an \
            update is the name of the member beside `update_id`.",
    }

    telnyx = "telnyx" {
        title: "Telnyx",
        docs: "https://www.npmjs.com/package/telnyx",
        evidence: Ran,
        scheme: [
            Ed25519 of "{ts}|{body}", Base64 at [header "telnyx-signature-ed25519"],
            time Seconds at [header "telnyx-timestamp"] within 300
        ],
        event_type: [json "/data/event_type"],
        delivery_id: [json "/data/id"],
        pitfalls: "The public key is in the portal, in base64.",
    }

    twitch = "twitch" {
        title: "Twitch EventSub",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{header:Twitch-Eventsub-Message-Id}{ts}{body}", Hex [after "sha256="]
            at [header "Twitch-Eventsub-Message-Signature"],
            time Rfc3339 at [header "Twitch-Eventsub-Message-Timestamp"] within 600
        ],
        event_type: [header "Twitch-Eventsub-Subscription-Type"],
        delivery_id: [header "Twitch-Eventsub-Message-Id"],
        handshake: TWITCH "a signed `webhook_callback_verification`, whose challenge is repeated \
            as text",
        pitfalls: "The time has nanoseconds. `Twitch-Eventsub-Message-Type` says whether it is a \
            notification, a challenge or a revocation, and is not signed.",
    }

    viber = "viber" {
        title: "Viber",
        docs: "https://www.npmjs.com/package/viber-bot",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Viber-Content-Signature"]],
        event_type: [json "/event"],
        delivery_id: [json "/message_token"],
        handshake: VIBER "a signed event `webhook`, answered by an empty 200",
        pitfalls: "The secret is the bot's token, with which messages can be sent as well.",
    }

    webex = "webex" or "cisco-webex" {
        title: "Cisco Webex",
        evidence: Assumed,
        scheme: [HmacSha1 of "{body}", Hex at [header "X-Spark-Signature"]],
        event_type: [json "/event"],
        delivery_id: [json "/id"],
        pitfalls: "The id in the body is that of the webhook, not of the event.",
    }

    x_twitter = "x-twitter" or "twitter" or "x" {
        title: "X (Twitter)",
        docs: "https://docs.x.com/x-api/webhooks/quickstart",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Base64 [after "sha256="]
            at [header "x-twitter-webhooks-signature"]
        ],
        handshake: X_TWITTER "`GET` with `crc_token` in the query, answered with a MAC of it \
            under the secret. Only letters, digits and `_=+/.-` are answered, 200 at most, and no \
            body of that form is accepted",
        pitfalls: "The secret is the consumer secret. The challenge (CRC) is answered with a MAC \
            under the same secret, so whoever may choose the challenge gets a signature: answer \
            only the form that X sends.",
    }

    zoom = "zoom" {
        title: "Zoom",
        docs: "https://github.com/zoom/webhook-sample",
        evidence: Documented,
        scheme: [
            HmacSha256 of "v0:{ts}:{body}", Hex [after "v0="] at [header "x-zm-signature"],
            time Seconds at [header "x-zm-request-timestamp"] within off
        ],
        event_type: [json "/event"],
        handshake: ZOOM "a signed `endpoint.url_validation`, answered with a MAC of `plainToken` \
            under the secret. Only letters, digits and `_=+/.-` are answered, 200 at most",
        pitfalls: "The challenge `endpoint.url_validation` is answered with a MAC under the same \
            secret. Zoom's sample serialises the body again before it signs; the raw body is what \
            counts.",
    }
}
