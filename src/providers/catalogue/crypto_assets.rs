//! Digital assets.

entries! {
    CRYPTO_ASSETS, CRYPTO_ASSETS_FACTS: "Digital assets"

    alchemy = "alchemy" {
        title: "Alchemy",
        docs: "https://github.com/alchemyplatform/webhook-examples",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Alchemy-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "Each webhook has a signing key.",
    }

    bitgo = "bitgo" {
        title: "BitGo",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-signature-sha256"]],
        pitfalls: "The encoding was not confirmed by the vendor's text.",
    }

    blockfrost = "blockfrost" {
        title: "Blockfrost",
        docs: "https://www.npmjs.com/package/@blockfrost/blockfrost-js",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "Blockfrost-Signature"],
            time Seconds at [field "t"] within 600
        ],
        pitfalls: "The vendor's library signs the body as it serialises it again; the raw body is \
            what counts.",
    }

    circle = "circle" {
        title: "Circle",
        docs: "https://developers.circle.com/api-reference/verify-webhook-signatures.md",
        evidence: Documented,
        scheme: [
            EcdsaP256Sha256 of "{body}", Base64 at [header "X-Circle-Signature"],
            key "X-Circle-Key-Id"
        ],
        event_type: [json "/notificationType"],
        delivery_id: [json "/notificationId"],
        keys: [api "GET https://api.circle.com/v2/notifications/publicKey/{id}"],
        pitfalls: "For notifications of version 2. The header `X-Circle-Key-Id` names the key: look it up, or \
            configure each public key under its id. CPN has its keys at `/v2/cpn/notifications/publicKey/{id}`.",
    }

    coinbase_cdp = "coinbase-cdp" or "hook0" {
        title: "Coinbase CDP (Hook0)",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v0"] at [header "X-Hook0-Signature"],
            time Seconds at [field "t"] within 300
        ],
        pitfalls: "The form `v0` of the signature is verified. The form `v1`, which binds headers, \
            is not supported.",
    }

    cryptapi = "cryptapi" or "blockbee" {
        title: "CryptAPI / BlockBee",
        docs: "https://docs.cryptapi.io/api/raw/kb/developers/how-to-verify-the-callback-signature",
        evidence: Documented,
        scheme: [RsaPkcs1Sha256 of "{body}", Base64 at [header "x-ca-signature"], rsa 1024],
        pitfalls: "The vendor's key has 1024 bits. Callbacks by GET sign the URL instead of the \
            body, and are refused.",
    }

    fireblocks = "fireblocks" {
        title: "Fireblocks",
        docs: "https://developers.fireblocks.com/reference/validating-webhooks.md",
        evidence: Documented,
        scheme: [RsaPkcs1Sha512 of "{body}", Base64 at [header "Fireblocks-Signature"]],
        event_type: [json "/type"],
        pitfalls: "The older header, which the vendor is about to withdraw in favour of \
            `Fireblocks-Webhook-Signature`.",
    }

    moonpay = "moonpay" {
        title: "MoonPay",
        docs: "https://dev.moonpay.com/api-reference/widget/webhooks/signature",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "s"] at [header "Moonpay-Signature-V2"],
            time Seconds at [field "t"] within off
        ],
        time_limit: 5,
        pitfalls: "Requests by GET sign the query in place of the body, and are refused. The older \
            header `Moonpay-Signature` is not read.",
    }
}
