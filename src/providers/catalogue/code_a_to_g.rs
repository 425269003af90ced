//! Code and operations.

entries! {
    CODE_A_TO_G, CODE_A_TO_G_FACTS: "Code and operations"

    autodesk = "autodesk" or "forge" {
        title: "Autodesk Platform Services",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Hex [after "sha1hash="] at [header "x-adsk-signature"]],
        event_type: [json "/hook/event"],
        delivery_id: [header "x-adsk-delivery-id"],
        pitfalls: "HMAC-SHA1 is all that the product offers.",
    }

    azure_devops = "azure-devops" {
        title: "Azure DevOps service hooks",
        evidence: Reported,
        scheme: [basic],
        event_type: [json "/eventType"],
        delivery_id: [json "/id"],
        pitfalls: "User and password are those of the subscription; nothing is signed.",
    }

    bitbucket = "bitbucket" or "bitbucket-data-center" {
        title: "Bitbucket Cloud / Data Center",
        docs: "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks",
        evidence: Reported,
        scheme: [as hub_sha256],
        event_type: [header "X-Event-Key"],
        delivery_id: [header "X-Request-UUID"],
        pitfalls: "The header has the name of GitHub's older one, but holds a SHA-256. Data Center \
            sends a test that is called `diagnostics:ping`.",
    }

    buildkite = "buildkite" {
        title: "Buildkite",
        docs: "https://github.com/buildkite/docs",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "signature"]
            at [header "X-Buildkite-Signature"],
            time Seconds at [field "timestamp"] within off
        ],
        event_type: [header "X-Buildkite-Event"],
        delivery_id: [header "X-Buildkite-Request"],
        pitfalls: "Buildkite sends either this signature or a plain token (`buildkite-token`), as \
            set on the webhook.",
    }

    buildkite_token = "buildkite-token" {
        title: "Buildkite (token mode)",
        docs: "https://github.com/buildkite/docs",
        evidence: Documented,
        scheme: [token at [header "X-Buildkite-Token"]],
        event_type: [header "X-Buildkite-Event"],
        delivery_id: [header "X-Buildkite-Request"],
        pitfalls: "The token is sent as it is. Choose the signature in the webhook's settings if \
            you can (`buildkite`).",
    }

    circleci = "circleci" {
        title: "CircleCI",
        docs: "https://github.com/circleci/circleci-docs",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex [list ',' after "v1="] at [header "circleci-signature"]
        ],
        event_type: [header "circleci-event-type"],
        delivery_id: [json "/id"],
        pitfalls: "The header is a list of versions; only `v1` counts here.",
    }

    datadog = "datadog" {
        title: "Datadog",
        evidence: Reported,
        scheme: [as authorization],
        pitfalls: "Datadog signs nothing: the header is one that you add to the webhook. The body \
            is a template of yours, so there is no type or id.",
    }

    expo = "expo" or "eas" {
        title: "Expo EAS",
        evidence: Reported,
        scheme: [HmacSha1 of "{body}", Hex [after "sha1="] at [header "expo-signature"]],
        delivery_id: [json "/id"],
        pitfalls: "The id in the body is that of the build, which several events share.",
    }

    forgejo = "forgejo" {
        title: "Forgejo",
        docs: "https://forgejo.org/docs/latest/user/webhooks/",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Forgejo-Signature"]],
        event_type: [header "X-Forgejo-Event"],
        delivery_id: [header "X-Forgejo-Delivery"],
        pitfalls: "Forgejo sends the headers of Gitea, Gogs and GitHub as well; only its own are \
            read.",
    }

    gitea = "gitea" {
        title: "Gitea",
        docs: "https://docs.gitea.com/usage/webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Gitea-Signature"]],
        event_type: [header "X-Gitea-Event"],
        delivery_id: [header "X-Gitea-Delivery"],
        pitfalls: "Gitea sends the headers of Gogs and GitHub as well; only its own are read.",
    }

    github_sha1 = "github-sha1" {
        title: "GitHub (legacy SHA-1)",
        docs: "https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers",
        evidence: Reported,
        scheme: [as hub_sha1],
        event_type: [header "X-GitHub-Event"],
        delivery_id: [header "X-GitHub-Delivery"],
        pitfalls: "Only for senders that have nothing but the older header. GitHub itself sends \
            the newer one too: use `github`.",
    }

    gitlab_signing = "gitlab-signing" or "gitlab" {
        title: "GitLab",
        docs: "https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944",
        evidence: Reported,
        scheme: [as standard_webhooks],
        variant "token": [token at [header "X-Gitlab-Token"]],
        event_type: [header "X-Gitlab-Event"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "For webhooks with a signing token (GitLab 19.0 and newer). With a secret token \
            only, select the variant `token`, or use `gitlab-token`.",
    }

    gitlab_token = "gitlab-token" {
        title: "GitLab (secret token)",
        docs: "https://gitlab.com/gitlab-org/gitlab/-/issues/19367",
        evidence: Reported,
        scheme: [token at [header "X-Gitlab-Token"]],
        event_type: [header "X-Gitlab-Event"],
        delivery_id: [header "X-Gitlab-Event-UUID"],
        pitfalls: "The secret token is sent as it is. Newer versions of GitLab can sign: prefer \
            `gitlab`.",
    }

    gogs = "gogs" {
        title: "Gogs",
        docs: "https://github.com/go-playground/webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Gogs-Signature"]],
        event_type: [header "X-Gogs-Event"],
        delivery_id: [header "X-Gogs-Delivery"],
        pitfalls: "Only the body is signed.",
    }

    grafana = "grafana" {
        title: "Grafana Alerting",
        docs: "https://github.com/grafana/alerting",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}:{body}", Hex at [header "X-Grafana-Alerting-Signature"],
            time Seconds at [header "X-Grafana-Alerting-Timestamp"] within off
        ],
        variant "untimed": [HmacSha256 of "{body}", Hex at [header "X-Grafana-Alerting-Signature"]],
        event_type: [json "/status"],
        pitfalls: "Names of headers are settings in Grafana. The header with the time is off by \
            default: switch it on, or select the variant `untimed`.",
    }
}
