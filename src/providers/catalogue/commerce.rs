//! Commerce.

entries! {
    COMMERCE, COMMERCE_FACTS: "Commerce"

    aftership = "aftership" {
        title: "AfterShip",
        evidence: Assumed,
        scheme: [HmacSha256 of "{body}", Base64 at [header "aftership-hmac-sha256"]],
        event_type: [json "/event"],
        delivery_id: [json "/event_id"],
        pitfalls: "Whether the secret is per webhook or per account is not established.",
    }

    bigcommerce = "bigcommerce" {
        title: "BigCommerce",
        docs: "https://github.com/bigcommerce/docs",
        evidence: Reported,
        scheme: [as text_standard_webhooks],
        event_type: [json "/scope"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "The secret is the client secret of the app, as text.",
    }

    commerce_layer = "commerce-layer" {
        title: "Commerce Layer",
        docs: "https://docs.commercelayer.io/core/callbacks-security",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-CommerceLayer-Signature"]],
        event_type: [header "X-CommerceLayer-Topic"],
        time_limit: 5,
        pitfalls: "The topic is in a header that is not signed. A failed delivery is tried again up \
            to ten times.",
    }

    easypost = "easypost" {
        title: "EasyPost",
        docs: "https://www.npmjs.com/package/easypost",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{body}", Hex [after "hmac-sha256-hex="] at [header "X-Hmac-Signature"],
            secret Nfkd
        ],
        event_type: [json "/description"],
        delivery_id: [json "/id"],
        pitfalls: "EasyPost normalises the secret (NFKD) before it signs: one with characters beyond \
            ASCII needs the feature `nfkd`.",
    }

    fastspring = "fastspring" {
        title: "FastSpring",
        docs: "https://developer.fastspring.com/docs/message-security",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-FS-Signature"]],
        event_type: [json "/events/0/type"],
        delivery_id: [json "/events/0/id"],
        pitfalls: "One body carries several events: handle each by its id.",
    }

    fourthwall = "fourthwall" {
        title: "Fourthwall",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-Fourthwall-Hmac-SHA256"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "Only the body is signed.",
    }

    recharge = "recharge" {
        title: "Recharge",
        evidence: Reported,
        scheme: [Sha256 of "{secret}{body}", Hex at [header "X-Recharge-Hmac-Sha256"]],
        event_type: [header "X-Recharge-Topic"],
        pitfalls: "This is a plain digest in spite of the header's name, and the secret is in \
            front of the body, so it is open to length extension.",
    }

    tebex = "tebex" {
        title: "Tebex",
        evidence: Reported,
        scheme: [HmacSha256 of "{body|sha256hex}", Hex at [header "X-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        handshake: TEBEX "a signed `validation.webhook`, whose id is repeated as JSON",
        pitfalls: "The MAC is over the SHA-256 of the body in hex, and not over the body itself.",
    }

    whop = "whop" {
        title: "Whop",
        docs: "https://www.npmjs.com/package/@whop/sdk",
        evidence: Ran,
        scheme: [as standard_webhooks],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    woocommerce = "woocommerce" {
        title: "WooCommerce",
        docs: "https://github.com/woocommerce/woocommerce-rest-api-docs",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "X-WC-Webhook-Signature"]],
        event_type: [header "X-WC-Webhook-Topic"],
        delivery_id: [header "X-WC-Webhook-Delivery-ID"],
        success: 200,
        handshake: WOOCOMMERCE "`POST` of a form with `webhook_id`, which is not signed, answered \
            by an empty 200",
        pitfalls: "The ping that WooCommerce sends when a webhook is saved is not signed, and has \
            to be answered with 200. Topic and delivery id are in headers that are not signed.",
    }
}
