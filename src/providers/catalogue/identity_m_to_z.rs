//! Identity verification.

entries! {
    IDENTITY_M_TO_Z, IDENTITY_M_TO_Z_FACTS: "Identity verification"

    metamap = "metamap" or "mati" {
        title: "MetaMap (Mati)",
        docs: "https://docs.metamap.com/docs/configure-your-webhook-url",
        evidence: Documented,
        scheme: [as x_signature],
        event_type: [json "/eventName"],
        pitfalls: "There is neither a time nor a delivery id. `/resource` is a URL: take its last \
            segment, and fetch it from the address of the API that you know.",
        module: metamap,
    }

    middesk = "middesk" {
        title: "Middesk",
        docs: "https://docs.middesk.com/build/secure-webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Middesk-Signature-256"]],
        pitfalls: "Verifies businesses, not people.",
    }

    ondato = "ondato" {
        title: "Ondato",
        docs: "https://ondato.atlassian.net",
        evidence: Documented,
        scheme: [basic],
        time_limit: 30,
        undisclosed: ["/payload/identityVerificationId", "/payload/id"],
        pitfalls: "User and password are chosen at set-up; nothing is signed. A failed delivery \
            is tried again up to 30 times, and deliveries may arrive in any order.",
    }

    onfido = "onfido" {
        title: "Onfido",
        docs: "https://www.npmjs.com/package/@onfido/api",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-SHA2-Signature"]],
        event_type: [json "/payload/action"],
        delivery_id: [json "/payload/object/id"],
        pitfalls: "The secret is the token of the webhook. The id in the body is that of the \
            object, which several events share.",
        module: onfido,
    }

    persona = "persona" {
        title: "Persona",
        docs: "https://docs.withpersona.com/webhooks-best-practices",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1" sets ' ']
            at [header "Persona-Signature"],
            time Seconds at [field "t"] within 300
        ],
        event_type: [json "/data/attributes/name"],
        delivery_id: [json "/data/id"],
        time_limit: 5,
        pitfalls: "While a secret is being replaced, the header has two sets of fields; either is \
            accepted. No window is published: five minutes are our choice.",
        module: persona,
    }

    pomelo = "pomelo" {
        title: "Pomelo",
        docs: "https://developers.pomelo.la/en/api-reference/Identity/webhooks",
        evidence: Assumed,
        scheme: [
            HmacSha256 of "{ts}{param:endpoint}{body}", Base64 [after "hmac-sha256 "]
            at [header "X-Signature"],
            time Seconds at [header "X-Timestamp"] within off,
            secret Base64,
            require "X-Endpoint" = "{param:endpoint}"
        ],
        pitfalls: "The encoding is a reading. The path that you registered is signed: it is the \
            parameter `endpoint`, and the header `X-Endpoint` has to equal it. `X-Api-Key` says \
            which secret signed.",
    }

    prembly = "prembly" or "identitypass" {
        title: "Prembly (Identitypass)",
        docs: "https://docs.prembly.com/docs/authorization-and-security",
        evidence: Documented,
        scheme: [
            token
            at [header "x-prembly-signature"] or [header "x-identitypass-signature"] encoded Base64
        ],
        pitfalls: "The header has the account's public key in base64, the same every time, and \
            proves next to nothing: ask the API.",
    }

    sardine = "sardine" {
        title: "Sardine",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-sardine-signature"]],
        pitfalls: "Known from public implementations only.",
    }

    shufti_pro = "shufti-pro" or "shuftipro" {
        title: "Shufti Pro",
        docs: "https://developers.shuftipro.com/docs/business_ocr",
        evidence: Documented,
        scheme: [Sha256 of "{body}{secret|sha256hex}", Hex at [header "Signature"]],
        variant "sha256-body-secret": [Sha256 of "{body}{secret}", Hex at [header "Signature"]],
        event_type: [json "/event"],
        delivery_id: [json "/reference"],
        pitfalls: "The digest is of the body and the hex SHA-256 of the secret. For an account from \
            before March 2023, which uses the secret itself, select the variant \
            `sha256-body-secret`.",
        module: shufti_pro,
    }

    smile_id = "smile-id" or "smile-identity" {
        title: "Smile ID",
        docs: "https://www.npmjs.com/package/smile-identity-core",
        evidence: Ran,
        scheme: [
            HmacSha256 of "{json:/timestamp}{param:partner_id}sid_request", Base64
            at [json "/signature"],
            time Rfc3339 at [json "/timestamp"] within off,
            covers parts
        ],
        event_type: [json "/ResultCode"],
        delivery_id: [json "/SmileJobID"],
        undisclosed: ["/SmileJobID", "/job_id"],
        pitfalls: "Only the time and the partner's id are signed, so one captured pair goes with \
            any result: set `tolerance`, and ask the API. The parameter `partner_id` is your \
            partner id.",
    }

    socure = "socure" {
        title: "Socure",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Socure-Signature"]],
        pitfalls: "Known from one public example, which has the signature in hex.",
    }

    sumsub = "sumsub" {
        title: "Sumsub",
        docs: "https://docs.sumsub.com/docs/webhook-manager",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Hex at [header "X-Payload-Digest"],
            require "X-Payload-Digest-Alg" = "HMAC_SHA256_HEX"
        ],
        variant "hmac-sha512": [
            HmacSha512 of "{body}", Hex at [header "X-Payload-Digest"],
            require "X-Payload-Digest-Alg" = "HMAC_SHA512_HEX"
        ],
        variant "hmac-sha1": [
            HmacSha1 of "{body}", Hex at [header "X-Payload-Digest"],
            require "X-Payload-Digest-Alg" = "HMAC_SHA1_HEX"
        ],
        event_type: [json "/type"],
        delivery_id: [json "/correlationId"],
        retry_hours: 25,
        time_limit: 5,
        pitfalls: "The algorithm is that of the webhook's settings. The header that names it has \
            to agree: select the variant `hmac-sha512` or `hmac-sha1` if you chose another than \
            SHA-256.",
        module: sumsub,
    }

    synaps = "synaps" {
        title: "Synaps",
        docs: "https://help.synaps.io/core-api/Reference/webhooks",
        evidence: Documented,
        scheme: [token at [query "{param:place}"]],
        params: ["place" = "secret"],
        pitfalls: "The secret is a query parameter, whose name is the parameter `place`: keep it \
            out of access logs.",
    }

    trulioo = "trulioo" {
        title: "Trulioo",
        docs: "https://developer.trulioo.com/reference/hmac",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-trulioo-signature"]],
        delivery_id: [json "/id"],
        handshake: TRULIOO "a signed `URL_VERIFICATION`, whose challenge is repeated as text",
        pitfalls: "The secret comes from the vendor's team or API, together with its dates of \
            validity.",
    }

    uqudo = "uqudo" {
        title: "Uqudo",
        docs: "https://docs.uqudo.com",
        evidence: Documented,
        scheme: [basic],
        pitfalls: "User and password are chosen at set-up; nothing is signed.",
    }

    veriff = "veriff" {
        title: "Veriff",
        docs: "https://devdocs.veriff.com/v1/docs/hmac-authentication-and-endpoint-security",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Hex
            at [header "x-hmac-signature"] or [header "vrf-hmac-signature"]
        ],
        event_type: [json "/action"],
        delivery_id: [json "/id"],
        success: 200,
        pitfalls: "`x-auth-client` names the integration: set the parameter `client` to require \
            it. The retired header `x-signature` is a plain digest and is not accepted.",
        module: veriff,
    }

    verifime = "verifime" {
        title: "VerifiMe",
        docs: "https://developer.verifime.com/docs/webhooks/setup",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-VerifiMe-Signature"]],
        time_limit: 10,
        success: 200,
        pitfalls: "Any other status than 200 counts as a failure.",
    }

    verifyme_ng = "verifyme-ng" {
        title: "VerifyMe (Nigeria)",
        docs: "https://docs.verifyme.ng/webhooks/about-webhooks",
        evidence: Documented,
        scheme: [HmacSha512 of "{body}", Hex at [header "x-verifyme-signature"]],
        pitfalls: "The secret is the secret API key. One sample of the vendor hashes a body that \
            it serialised again; the raw body is what counts.",
    }

    veriscor = "veriscor" {
        title: "Veriscor",
        docs: "https://veriscor.io/docs/webhooks",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Veriscor-Signature"]],
        delivery_id: [header "X-Veriscor-Delivery"],
        retry_hours: 1,
        pitfalls: "For batches only; the secret is given with each batch. A failed delivery is \
            tried again after 1, 5 and 30 minutes.",
    }

    vouched = "vouched" {
        title: "Vouched",
        docs: "https://docs.vouched.id/docs/webhooks",
        evidence: Documented,
        scheme: [HmacSha1 of "{body}", Base64 at [header "X-Signature"]],
        pitfalls: "HMAC-SHA1 is all that the vendor offers.",
    }

    whocomply = "whocomply" {
        title: "WhoComply",
        docs: "https://docs.whocomply.com/guides/webhooks",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v1"] at [header "X-Whocomply-Signature"],
            time Seconds at [field "t"] within 300
        ],
        pitfalls: "The secret looks like one of Svix, but is used as text.",
    }

    yoti = "yoti" {
        title: "Yoti",
        docs: "https://developers.yoti.com",
        evidence: Documented,
        scheme: [as bearer],
        variant "basic": [basic],
        undisclosed: ["/session_id"],
        pitfalls: "Bearer or Basic is chosen at set-up: select the variant `basic` for the latter. \
            The notification has no result: fetch it.",
    }

    youverify = "youverify" {
        title: "Youverify",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-youverify-signature"]],
        event_type: [json "/event"],
        pitfalls: "Known from public implementations only.",
    }
}
