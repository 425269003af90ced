//! Collaboration.

entries! {
    COLLABORATION, COLLABORATION_FACTS: "Collaboration"

    asana = "asana" {
        title: "Asana",
        docs: "https://developers.asana.com/docs/webhooks-guide",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Hook-Signature"]],
        event_type: [json "/events/0/action"],
        handshake: ASANA "`POST` with a secret in `X-Hook-Secret`, which nobody has signed: while \
            a `Registration` is open (`registration = \"open\"`), the handler stores it, and the \
            header is repeated in the answer",
        pitfalls: "Each webhook has a secret that arrives in its first request, in \
            `X-Hook-Secret`. Accept a new one only while you wait for it. A heartbeat has an empty \
            list of events.",
    }

    cal_com = "cal-com" or "calcom" {
        title: "Cal.com",
        docs: "https://cal.com/docs/developing/guides/automation/webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Cal-Signature-256"]],
        event_type: [json "/triggerEvent"],
        pitfalls: "Without a secret the header says `no-secret-provided`, which is refused.",
    }

    calendly = "calendly" {
        title: "Calendly",
        docs: "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"]
            at [header "Calendly-Webhook-Signature"],
            time Seconds at [field "t"] within 180
        ],
        event_type: [json "/event"],
        pitfalls: "The time is in the signature header, in seconds.",
    }

    clickup = "clickup" {
        title: "ClickUp",
        docs: "https://developer.clickup.com/docs/webhooksignature",
        evidence: Documented,
        scheme: [as x_signature],
        event_type: [json "/event"],
        pitfalls: "The secret is in the answer to the request that made the webhook.",
    }

    fathom = "fathom" {
        title: "Fathom",
        evidence: Reported,
        scheme: [as standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    google_calendar = "google-calendar" or "google-drive" {
        title: "Google Calendar / Drive push channels",
        docs: "https://developers.google.com/workspace/drive/api/guides/push",
        evidence: Reported,
        scheme: [token at [header "X-Goog-Channel-Token"]],
        event_type: [header "X-Goog-Resource-State"],
        delivery_id: [header "X-Goog-Message-Number"],
        handshake: GOOGLE_CALENDAR "a first message with the state `sync` and the token, answered \
            by an empty 200",
        pitfalls: "The body is empty and the token is the one that you gave to the channel: fetch \
            what has changed from the API.",
    }

    liveblocks = "liveblocks" {
        title: "Liveblocks",
        docs: "https://www.npmjs.com/package/@liveblocks/node",
        evidence: Ran,
        scheme: [as standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    microsoft_graph = "microsoft-graph" or "onedrive" or "outlook" {
        title: "Microsoft Graph change notifications",
        docs: "https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
        evidence: Reported,
        scheme: [token at [json "/value/*/clientState"]],
        event_type: [json "/value/0/changeType"],
        delivery_id: [json "/value/0/id"],
        handshake: MICROSOFT_GRAPH "`POST` or `GET` with `validationToken` in the query, repeated \
            as text",
        bodies: alike,
        pitfalls: "`clientState` has to match in every item of `/value`. Notifications with \
            resource data are encrypted, and carry tokens that are not checked here.",
    }

    notion = "notion" {
        title: "Notion",
        docs: "https://developers.notion.com/reference/webhooks",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Notion-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        handshake: NOTION "`POST` with `verification_token`, which nobody has signed: while a \
            `Registration` is open (`registration = \"open\"`), the handler shows it to the person \
            who pastes it into Notion's settings",
        pitfalls: "The secret is the verification token that Notion sends once, to the endpoint \
            itself.",
    }

    trello = "trello" {
        title: "Trello",
        docs: "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}{url}", Base64 at [header "X-Trello-Webhook"]],
        event_type: [json "/action/type"],
        delivery_id: [json "/action/id"],
        handshake: TRELLO "`HEAD`, answered by an empty 200",
        pitfalls: "The URL has to be the parameter `url`, exactly as it was registered. The secret \
            is that of the app, and not the one of a user.",
    }
}
