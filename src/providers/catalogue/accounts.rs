//! Accounts and people.

entries! {
    ACCOUNTS, ACCOUNTS_FACTS: "Accounts and people"

    ashby = "ashby" {
        title: "Ashby",
        docs: "https://developers.ashbyhq.com/docs/authenticating-webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256="] at [header "Ashby-Signature"]],
        event_type: [json "/action"],
        pitfalls: "The ping at creation may come unsigned, and is refused then.",
    }

    auth0 = "auth0" {
        title: "Auth0 (log streams, event streams)",
        docs: "https://auth0.com/docs/customize/log-streams/custom-log-streams",
        evidence: Reported,
        scheme: [as authorization],
        event_type: [json "/data/type"],
        delivery_id: [json "/log_id"],
        pitfalls: "Auth0 signs nothing: a log stream has an `Authorization` header that you \
            choose, and an event stream a bearer token. A body may be an array, or lines of \
            JSON.",
    }

    bamboohr = "bamboohr" {
        title: "BambooHR",
        docs: "https://documentation.bamboohr.com/docs/webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}{ts}", Hex at [header "X-BambooHR-Signature"],
            time Seconds at [header "X-BambooHR-Timestamp"] within off
        ],
        pitfalls: "The time follows the body, although some guides have it the other way round. \
            The key is shown once, when the webhook is made. No window is published: set \
            `tolerance`.",
    }

    clerk = "clerk" {
        title: "Clerk",
        docs: "https://www.npmjs.com/package/@clerk/backend",
        evidence: Ran,
        scheme: [as svix],
        event_type: [json "/type"],
        delivery_id: [header "svix-id"] unique,
        pitfalls: "Sent through Svix.",
    }

    deel = "deel" {
        title: "Deel",
        evidence: Reported,
        scheme: [HmacSha256 of "POST{body}", Hex at [header "x-deel-signature"]],
        pitfalls: "The word `POST` is in front of the body, without anything between. One of the \
            implementations that were read signs the body only.",
    }

    finch = "finch" {
        title: "Finch",
        docs: "https://www.npmjs.com/package/@tryfinch/finch-api",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{header:finch-event-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "finch-signature"],
            time Seconds at [header "finch-timestamp"] within 300,
            secret Base64
        ],
        delivery_id: [header "finch-event-id"],
        pitfalls: "The secret is base64 without a prefix.",
    }

    gusto = "gusto" {
        title: "Gusto",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Gusto-Signature"]],
        event_type: [json "/event_type"],
        delivery_id: [json "/uuid"],
        retry_hours: 24,
        time_limit: 5,
        success: 200,
        pitfalls: "The secret is the verification token of the subscription.",
    }

    hibob = "hibob" {
        title: "HiBob",
        evidence: Reported,
        scheme: [HmacSha512 of "{body}", Base64 at [header "Bob-Signature"]],
        event_type: [json "/type"],
        pitfalls: "Known from two implementations.",
    }

    okta = "okta" {
        title: "Okta event hooks",
        docs: "https://developer.okta.com/docs/concepts/event-hooks/",
        evidence: Reported,
        scheme: [token at [header "{param:header}"]],
        event_type: [json "/data/events/0/eventType"],
        delivery_id: [json "/eventId"],
        params: ["header" = "Authorization"],
        handshake: OKTA "`GET` with `X-Okta-Verification-Challenge`, repeated as JSON",
        pitfalls: "Name and value of the header are settings of the hook: the parameter `header` \
            has the name, if it is not `Authorization`.",
    }

    supabase_auth_hooks = "supabase-auth-hooks" or "supabase" {
        title: "Supabase Auth hooks",
        evidence: Assumed,
        scheme: [
            HmacSha256 of "{header:webhook-id}.{ts}.{body}", Base64 [list ' ' after "v1,"]
            at [header "webhook-signature"],
            time Seconds at [header "webhook-timestamp"] within 300,
            secret Base64 "whsec_" or "v1,whsec_"
        ],
        delivery_id: [header "webhook-id"] unique,
        answer: [always],
        pitfalls: "The dashboard shows the secret as `v1,whsec_…`, which is accepted as it is. The \
            hook waits for your answer, whose content counts.",
    }

    workable = "workable" {
        title: "Workable",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Workable-Signature"]],
        pitfalls: "The secret is the API token of the account, with which much more can be done \
            than sign webhooks.",
    }

    workos = "workos" {
        title: "WorkOS",
        docs: "https://www.npmjs.com/package/@workos-inc/node",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "WorkOS-Signature"],
            time Milliseconds at [field "t"] within 180,
            spaces written
        ],
        event_type: [json "/event"],
        delivery_id: [json "/id"],
        pitfalls: "The time is in milliseconds, after a comma and a space. Actions use the same \
            scheme with 30 seconds, and want an answer that is signed.",
    }
}
