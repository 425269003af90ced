//! Code and operations.

entries! {
    CODE_H_TO_Z, CODE_H_TO_Z_FACTS: "Code and operations"

    heroku = "heroku" {
        title: "Heroku",
        docs: "https://devcenter.heroku.com/articles/app-webhooks#securing-webhook-requests",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "Heroku-Webhook-Hmac-SHA256"]],
        event_type: [json "/webhook_metadata/event/include"],
        delivery_id: [json "/webhook_metadata/delivery/id"],
        pitfalls: "The header `Heroku-Webhook-Hmac-SHA256` is sent only for a webhook with a \
            secret.",
    }

    jira = "jira" {
        title: "Jira Cloud (admin / REST webhooks)",
        docs: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
        evidence: Reported,
        scheme: [as hub_sha256],
        event_type: [json "/webhookEvent"],
        delivery_id: [header "X-Atlassian-Webhook-Identifier"],
        pitfalls: "For webhooks of administrators and of the REST API, when they have a secret. \
            Apps of Connect send a JSON Web Token instead.",
    }

    launchdarkly = "launchdarkly" {
        title: "LaunchDarkly",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-LD-Signature"]],
        event_type: [json "/kind"],
        delivery_id: [json "/_id"],
        pitfalls: "Signing is opt-in, per webhook.",
    }

    linear = "linear" {
        title: "Linear",
        docs: "https://www.npmjs.com/package/@linear/sdk",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}", Hex at [header "Linear-Signature"],
            time Milliseconds at [json "/webhookTimestamp"] within 60
        ],
        event_type: [json "/type"],
        delivery_id: [header "Linear-Delivery"],
        pitfalls: "The time is in the signed body, as `/webhookTimestamp` in milliseconds; the \
            header with a time is ignored. `/action` says what happened.",
    }

    mongodb_atlas = "mongodb-atlas" {
        title: "MongoDB Atlas alerts",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Base64 at [header "X-MMS-Signature"]],
        event_type: [header "X-MMS-Event"],
        pitfalls: "HMAC-SHA1 is all that the product offers.",
    }

    new_relic = "new-relic" {
        title: "New Relic",
        evidence: Assumed,
        scheme: [as bearer],
        delivery_id: [json "/issueId"],
        pitfalls: "New Relic signs nothing: a destination has Basic, a bearer token or a header of \
            yours.",
    }

    pagerduty = "pagerduty" {
        title: "PagerDuty v3",
        docs: "https://developer.pagerduty.com/docs/verifying-webhook-signatures",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex [list ',' after "v1="] at [header "X-PagerDuty-Signature"]
        ],
        event_type: [json "/event/event_type"],
        delivery_id: [json "/event/id"],
        pitfalls: "Several signatures are sent while a secret is being replaced.",
    }

    render = "render" {
        title: "Render",
        docs: "https://render.com/docs/webhooks",
        evidence: Reported,
        scheme: [as standard_webhooks],
        event_type: [json "/type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    sentry = "sentry" {
        title: "Sentry (integration platform)",
        docs: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "Sentry-Hook-Signature"]],
        event_type: [header "Sentry-Hook-Resource"],
        delivery_id: [header "Request-ID"],
        pitfalls: "The secret is the client secret of the integration. `Sentry-Hook-Timestamp` is \
            not signed.",
    }

    sonarqube = "sonarqube" or "sonarcloud" {
        title: "SonarQube / SonarCloud",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Sonar-Webhook-HMAC-SHA256"]],
        delivery_id: [json "/taskId"],
        pitfalls: "The id in the body is that of the analysis task.",
    }

    sonatype_nexus = "sonatype-nexus" {
        title: "Sonatype Nexus",
        evidence: Assumed,
        scheme: [HmacSha1 of "{body}", Hex at [header "X-Nexus-Webhook-Signature"]],
        event_type: [header "X-Nexus-Webhook-Id"],
        delivery_id: [header "X-Nexus-Webhook-Delivery"],
        pitfalls: "The header is sent only for a webhook with a secret key.",
    }

    terraform_cloud = "terraform-cloud" or "hcp-terraform" {
        title: "Terraform Cloud / HCP Terraform",
        evidence: Reported,
        scheme: [HmacSha512 of "{body}", Hex at [header "X-TFE-Notification-Signature"]],
        event_type: [json "/notifications/0/trigger"],
        delivery_id: [json "/run_id"],
        pitfalls: "The token is optional: without one the header is missing, and the request is \
            refused. The id in the body is that of the run.",
    }

    travis_ci = "travis-ci" {
        title: "Travis CI",
        docs: "https://github.com/travis-ci/webhook-signature-verifier",
        evidence: Documented,
        scheme: [RsaPkcs1Sha1 of "{form:payload}", Base64 at [header "Signature"], covers parts],
        event_type: [json "/state"],
        pitfalls: "The form field `payload` is signed, and not the body. The key is in the answer \
            of the API at `/config`, and the digest is SHA-1.",
    }

    vercel = "vercel" {
        title: "Vercel",
        docs: "https://vercel.com/docs/webhooks/webhooks-api",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Hex at [header "x-vercel-signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        handshake: VERCEL "of log drains, `GET` or `HEAD`, answered with `verify` in \
            `x-vercel-verify`",
        pitfalls: "An integration signs with its client secret, an account's webhook with a secret \
            of its own. HMAC-SHA1.",
    }
}
