//! Payments.

entries! {
    PAYMENTS_A_TO_F, PAYMENTS_A_TO_F_FACTS: "Payments"

    adyen_platforms = "adyen-platforms" {
        title: "Adyen (platforms, management, banking)",
        docs: "https://www.npmjs.com/package/@adyen/api-library",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Base64 at [header "HmacSignature"], secret Hex],
        event_type: [json "/type"],
        pitfalls: "The key is in hex. Notifications of classic payments are signed differently \
            (`adyen`), and are not supported.",
    }

    airwallex = "airwallex" {
        title: "Airwallex",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}{body}", Hex at [header "x-signature"],
            time Milliseconds at [header "x-timestamp"] within off
        ],
        event_type: [json "/name"],
        delivery_id: [json "/id"],
        pitfalls: "The time is in milliseconds, and no window is published: set `tolerance`.",
    }

    bitso = "bitso" {
        title: "Bitso (payouts and funding)",
        docs: "https://docs.bitso.com/bitso-payouts-funding/docs/webhook-event-signatures",
        evidence: Documented,
        scheme: [
            RsaPkcs1Sha256 of "{span:/payload}", Base64
            at [header "x-bitso-webhook-event-signature"],
            covers parts,
            key "x-bitso-key-id"
        ],
        event_type: [json "/event"],
        pitfalls: "Only `/payload` is signed, so `/event` can be changed. The header \
            `x-bitso-key-id` names the key: configure each public key under its id.",
    }

    brex = "brex" {
        title: "Brex",
        docs: "https://developer.brex.com/docs/webhooks/",
        evidence: Reported,
        scheme: [as svix],
        delivery_id: [header "svix-id"] unique,
        pitfalls: "Sent through Svix.",
    }

    bridge_xyz = "bridge-xyz" {
        title: "Bridge",
        docs: "https://apidocs.bridge.xyz/platform/additional-information/webhooks/signature",
        evidence: Assumed,
        scheme: [
            RsaPkcs1Sha256 of "{ts}.{body}", Base64 [fields ',' "v0"]
            at [header "X-Webhook-Signature"],
            time Milliseconds at [field "t"] within 600
        ],
        event_type: [json "/event_type"],
        delivery_id: [json "/event_id"],
        pitfalls: "The vendor's text leaves open whether the content or its digest is signed.",
    }

    cashfree = "cashfree" {
        title: "Cashfree",
        docs: "https://www.cashfree.com/docs/payments/online/webhooks/signature-verification",
        evidence: Ran,
        scheme: [as cashfree],
        event_type: [json "/type"],
        pitfalls: "The time is part of the signed text, without a separator, and no window is \
            published: set `tolerance`.",
    }

    checkout_com = "checkout-com" {
        title: "Checkout.com",
        docs: "https://www.checkout.com/docs/workflows",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "Cko-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "An `Authorization` header can be configured as well; it is not checked here.",
    }

    chip_collect = "chip-collect" {
        title: "CHIP Collect",
        docs: "https://docs.chip-in.asia/chip-collect/overview/webhook-signatures",
        evidence: Documented,
        scheme: [RsaPkcs1Sha256 of "{body}", Base64 at [header "X-Signature"]],
        pitfalls: "Each webhook has a public key; success callbacks are signed with the key of the \
            account.",
    }

    chip_send = "chip-send" {
        title: "CHIP Send",
        docs: "https://docs.chip-in.asia/chip-send/api-reference/webhooks/validation",
        evidence: Documented,
        scheme: [RsaPkcs1Sha512 of "{body}", Base64 at [header "X-Signature"]],
        pitfalls: "As `chip-collect`, but with SHA-512.",
    }

    coinbase_commerce = "coinbase-commerce" {
        title: "Coinbase Commerce",
        docs: "https://www.npmjs.com/package/coinbase-commerce-node",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-CC-Webhook-Signature"]],
        event_type: [json "/event/type"],
        delivery_id: [json "/event/id"],
        pitfalls: "The secret is the shared secret of the account.",
    }

    dodo_payments = "dodo-payments" {
        title: "Dodo Payments",
        docs: "https://docs.dodopayments.com/developer-resources/webhooks",
        evidence: Ran,
        scheme: [as standard_webhooks],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    dwolla = "dwolla" {
        title: "Dwolla",
        docs: "https://developers.dwolla.com/docs/balance/webhooks/process-validate",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Request-Signature-SHA-256"]],
        event_type: [json "/topic"],
        delivery_id: [json "/id"],
        pitfalls: "The secret is the one that you gave to the subscription.",
    }

    fintoc = "fintoc" {
        title: "Fintoc",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "Fintoc-Signature"],
            time Seconds at [field "t"] within 300
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "The time is in the signature header.",
    }

    flutterwave_v3 = "flutterwave-v3" {
        title: "Flutterwave (v3)",
        docs: "https://developer.flutterwave.com/docs/webhooks",
        evidence: Reported,
        scheme: [token at [header "verif-hash"]],
        event_type: [json "/event"],
        delivery_id: [json "/data/id"],
        pitfalls: "The secret hash is sent as it is: verify each transaction with the API.",
    }

    flutterwave_v4 = "flutterwave-v4" {
        title: "Flutterwave (v4)",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Base64 at [header "flutterwave-signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/webhook_id"],
        pitfalls: "The encoding is that of a community library, and was not confirmed by the \
            vendor's text.",
    }
}
