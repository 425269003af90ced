//! E-mail, forms and documents.

entries! {
    DOCUMENTS, DOCUMENTS_FACTS: "E-mail, forms and documents"

    adobe_sign = "adobe-sign" or "acrobat-sign" {
        title: "Adobe Acrobat Sign",
        evidence: Reported,
        scheme: [token at [header "X-AdobeSign-ClientId"]],
        event_type: [json "/event"],
        delivery_id: [json "/webhookNotificationId"],
        handshake: ADOBE_SIGN "`GET`, and every event: the header `X-AdobeSign-ClientId` is \
            compared with `client_id` and repeated in the answer",
        pitfalls: "The client id is no secret, so it shows what the request is for, and nothing \
            about its sender. The answer has to contain it as well.",
    }

    braze = "braze" or "braze-currents" {
        title: "Braze (Currents HTTP connector)",
        docs: "https://www.braze.com/docs",
        evidence: Reported,
        scheme: [as bearer],
        pitfalls: "The token is optional in Braze: configure one.",
    }

    brevo = "brevo" {
        title: "Brevo",
        evidence: Reported,
        scheme: [as bearer],
        event_type: [json "/event"],
        pitfalls: "The token is optional in Brevo: configure one.",
    }

    clicksign = "clicksign" {
        title: "Clicksign",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256="] at [header "Content-Hmac"]],
        event_type: [json "/event/name"],
        pitfalls: "Only the body is signed.",
    }

    customer_io = "customer-io" or "customerio" {
        title: "Customer.io",
        evidence: Reported,
        scheme: [
            HmacSha256 of "v0:{ts}:{body}", Hex at [header "X-CIO-Signature"],
            time Seconds at [header "X-CIO-Timestamp"] within off
        ],
        event_type: [json "/metric"],
        delivery_id: [json "/event_id"],
        pitfalls: "The separator is a colon, and `v0` is in front of the time. No window is \
            published: set `tolerance`.",
    }

    docusign = "docusign" or "docusign-connect" {
        title: "DocuSign Connect",
        docs: "https://developers.docusign.com/platform/webhooks/connect/hmac/",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Base64
            at [header "X-DocuSign-Signature-1"] or [header "X-DocuSign-Signature-2"] or [header "X-DocuSign-Signature-3"] or [header "X-DocuSign-Signature-4"] or [header "X-DocuSign-Signature-5"]
        ],
        event_type: [json "/event"],
        delivery_id: [json "/data/envelopeId"],
        pitfalls: "Up to five keys sign at once, each in a numbered header; any match is accepted. \
            The id is that of the envelope, which several events share.",
    }

    dropbox_sign = "dropbox-sign" or "hellosign" {
        title: "Dropbox Sign (HelloSign)",
        docs: "https://developers.hellosign.com/docs/events/walkthrough/",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{form:json#/event/event_time}{form:json#/event/event_type}", Hex
            at [form "json" json "/event/event_hash"],
            covers parts
        ],
        event_type: [form "json" json "/event/event_type"],
        handshake: DROPBOX_SIGN "every event is answered by the text `Hello API Event Received`",
        pitfalls: "Only time and type of the event are signed, and the secret is the API key. The \
            form is `multipart/form-data` by default; a plain one is read, too. The answer has to \
            contain `Hello API Event Received`.",
    }

    klaviyo = "klaviyo" {
        title: "Klaviyo",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}{ts}", Hex at [header "Klaviyo-Signature"],
            time ImfFixdate at [header "Klaviyo-Timestamp"] within 300
        ],
        pitfalls: "The time is an HTTP date and follows the body. The id of the webhook is in a \
            header and in the body; compare them.",
    }

    loops = "loops" {
        title: "Loops",
        evidence: Reported,
        scheme: [as standard_webhooks],
        event_type: [json "/eventName"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "After a secret was replaced, both sign for 24 hours.",
    }

    mailchimp = "mailchimp" {
        title: "Mailchimp (audience webhooks)",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "X-Mailchimp-Signature"],
            time Seconds at [field "t"] within 300
        ],
        event_type: [form "type"],
        handshake: MAILCHIMP "`GET`, answered by an empty 200",
        pitfalls: "Signing is optional, and sources differ on it; older webhooks have nothing but \
            a secret in the URL.",
    }

    mailgun = "mailgun" {
        title: "Mailgun",
        docs: "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{json:/signature/timestamp}{json:/signature/token}", Hex
            at [json "/signature/signature"],
            time Seconds at [json "/signature/timestamp"] within off,
            covers parts
        ],
        event_type: [json "/event-data/event"],
        delivery_id: [json "/event-data/id"],
        pitfalls: "Only the time and a token that is used once are signed, and neither the message \
            nor the kind of event. Set `tolerance`, remember tokens, and ask the API for what \
            matters. The older form posts have the same values as form fields.",
    }

    nylas = "nylas" {
        title: "Nylas v3",
        docs: "https://www.npmjs.com/package/nylas",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-nylas-signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        handshake: NYLAS "`GET` with `challenge` in the query, repeated as text",
        pitfalls: "The secret is the one that the answer to the webhook's creation shows.",
    }

    pandadoc = "pandadoc" {
        title: "PandaDoc",
        docs: "https://developers.pandadoc.com/docs/webhook-verification",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [query "signature"]],
        event_type: [json "/0/event"],
        pitfalls: "The signature is a query parameter, so access logs show it. One body carries \
            several events, and a failed delivery is not tried again.",
    }

    postmark = "postmark" {
        title: "Postmark",
        docs: "https://postmarkapp.com/developer/webhooks/webhooks-overview",
        evidence: Reported,
        scheme: [basic],
        event_type: [json "/RecordType"],
        delivery_id: [json "/MessageID"],
        pitfalls: "User and password are part of the URL that you registered; nothing is signed.",
    }

    resend = "resend" {
        title: "Resend",
        docs: "https://www.npmjs.com/package/resend",
        evidence: Ran,
        scheme: [as svix],
        event_type: [json "/type"],
        delivery_id: [header "svix-id"] unique,
        pitfalls: "Sent through Svix.",
    }

    sendgrid = "sendgrid" or "twilio-sendgrid" {
        title: "SendGrid Event Webhook",
        docs: "https://www.npmjs.com/package/@sendgrid/eventwebhook",
        evidence: Ran,
        scheme: [
            EcdsaP256Sha256 of "{ts}{body}", Base64
            at [header "X-Twilio-Email-Event-Webhook-Signature"],
            time Seconds at [header "X-Twilio-Email-Event-Webhook-Timestamp"] within off
        ],
        event_type: [json "/0/event"],
        delivery_id: [json "/0/sg_event_id"],
        pitfalls: "The body ends in CR LF, which is signed: no proxy may trim it. One body carries \
            many events. Inbound Parse is another product, and is not signed. No window is \
            published: set `tolerance`.",
    }

    tally = "tally" {
        title: "Tally",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "Tally-Signature"]],
        event_type: [json "/eventType"],
        delivery_id: [json "/eventId"],
        pitfalls: "Tally's sample serialises the body again before it signs; the raw body is what \
            counts.",
    }

    typeform = "typeform" {
        title: "Typeform",
        docs: "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 [after "sha256="] at [header "Typeform-Signature"]],
        event_type: [json "/event_type"],
        delivery_id: [json "/event_id"],
        pitfalls: "Only the body is signed.",
    }

    yousign = "yousign" {
        title: "Yousign",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Yousign-Signature-256"]
        ],
        event_type: [json "/event_name"],
        delivery_id: [json "/event_id"],
        pitfalls: "Only the body is signed.",
    }
}
