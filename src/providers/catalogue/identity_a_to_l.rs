//! Identity verification.

entries! {
    IDENTITY_A_TO_L, IDENTITY_A_TO_L_FACTS: "Identity verification"

    advance_ai = "advance-ai" {
        title: "ADVANCE.AI",
        docs: "https://doc-center-acmp.advance.ai/docs/common-webhook",
        evidence: Assumed,
        scheme: [
            HmacSha256 of "{ts}\n{header:aai-nonce}\n{body}", Base64 at [header "aai-signature"],
            time Milliseconds at [header "aai-timestamp"] within off,
            secret Base64
        ],
        retry_hours: 1,
        time_limit: 60,
        pitfalls: "Two versions of the vendor's page disagree on the unit of the time, so no \
            window is set. The nonce protects from nothing by itself. A failed delivery is tried again \
            after 5, 10 and 20 seconds.",
    }

    aiprise = "aiprise" {
        title: "AiPrise",
        evidence: Assumed,
        scheme: [as x_hmac_signature],
        pitfalls: "Encoding and signed text are a guess from a public list that names only the \
            header.",
    }

    ballerine = "ballerine" {
        title: "Ballerine",
        docs: "https://github.com/ballerine-io/ballerine",
        evidence: Documented,
        scheme: [as x_hmac_signature],
        pitfalls: "Without a key the sender writes the word `UNSIGNED`, which is refused.",
    }

    blockpass = "blockpass" {
        title: "Blockpass",
        docs: "https://docs.blockpass.org",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex [after "sha256=" or ""] at [header "X-Hub-Signature"]],
        event_type: [json "/event"],
        delivery_id: [header "X-Blockpass-Delivery"],
        pitfalls: "Whether `sha256=` is in front of the signature is not documented, so both are \
            accepted. A body with `/env` other than `prod` is a test, and one with `/isPing` a \
            ping.",
        module: blockpass,
    }

    cashfree_secure_id = "cashfree-secure-id" {
        title: "Cashfree Secure ID",
        docs: "https://www.cashfree.com/docs/api-reference/vrs/webhook-signature-verification.md",
        evidence: Documented,
        scheme: [as cashfree],
        pitfalls: "The time is part of the signed text, and no window is published: set \
            `tolerance`. An older page describes a signature inside the body, which is not \
            accepted.",
    }

    checkr = "checkr" {
        title: "Checkr",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Checkr-Signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "The secret is an API key of the account, with which much more can be done than \
            sign webhooks.",
    }

    complyadvantage_mesh = "complyadvantage-mesh" {
        title: "ComplyAdvantage Mesh",
        docs: "https://support.complyadvantage.com",
        evidence: Documented,
        scheme: [as standard_webhooks],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signing is opt-in.",
    }

    complycube = "complycube" {
        title: "ComplyCube",
        docs: "https://www.npmjs.com/package/@complycube/api",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "complycube-signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        time_limit: 15,
        pitfalls: "The secret is the webhook's own.",
        module: complycube,
    }

    detected = "detected" {
        title: "Detected",
        docs: "https://docs.detected.app",
        evidence: Assumed,
        scheme: [Sha256 of "{body}{secret}", Hex at [header "signature"]],
        pitfalls: "The vendor says SHA-256 of payload and secret; order and kind are a reading.",
    }

    didit = "didit" {
        title: "Didit (X-Signature)",
        docs: "https://github.com/didit-protocol/didit-full-demo",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Hex at [header "X-Signature"],
            time Seconds at [header "X-Timestamp"] within 300
        ],
        event_type: [json "/webhook_type"],
        delivery_id: [json "/session_id"],
        time_limit: 5,
        pitfalls: "Nothing signs the header with the time, so `/timestamp` in the signed body is \
            required of an event, and judged as well. `/environment` other than `live` is a test.",
        module: didit,
    }

    didit_raw = "didit-raw" {
        title: "Didit (X-Signature, time in the signed body)",
        docs: "https://docs.didit.me",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Hex at [header "X-Signature"],
            time Seconds at [json "/timestamp"] within 300
        ],
        event_type: [json "/webhook_type"],
        delivery_id: [json "/event_id"],
        retry_hours: 1,
        time_limit: 5,
        pitfalls: "`/environment` other than `live` is a test. Callbacks of the kind \
            `kyb.registry_search.resolved` come unsigned, and are refused. A failed delivery \
            is tried again twice, after about one and four minutes, if the status was 404 or 5xx.",
        module: didit,
    }

    didit_simple = "didit-simple" {
        title: "Didit (X-Signature-Simple)",
        docs: "https://github.com/didit-protocol/didit-full-demo",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{json:/timestamp}:{json:/session_id}:{json:/status}:{json:/webhook_type}", Hex
            at [header "X-Signature-Simple"],
            time Seconds at [json "/timestamp"] within 300,
            covers parts
        ],
        event_type: [json "/webhook_type"],
        delivery_id: [json "/session_id"],
        undisclosed: ["/session_id"],
        pitfalls: "Four fields are signed, and the rest of the body is not: prefer `didit-raw`. An \
            event that lacks one of the four is refused.",
    }

    digio = "digio" {
        title: "Digio",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Digio-Checksum"]],
        pitfalls: "Known from public implementations only.",
    }

    dojah = "dojah" {
        title: "Dojah",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "x-dojah-signature"]],
        pitfalls: "`x-dojah-signature-v2` is a hash of the secret, the same for every request, and \
            is not accepted.",
    }

    flagright = "flagright" {
        title: "Flagright",
        docs: "https://docs.flagright.com/framl-api/api-reference/webhooks",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Flagright-Signature"]],
        pitfalls: "Whether a time is part of the signed text in some versions was not seen.",
    }

    fractal_id = "fractal-id" {
        title: "Fractal ID",
        evidence: Documented,
        scheme: [HmacSha1 of "{body}", Hex [after "sha1="] at [header "X-Fractal-Signature"]],
        pitfalls: "Newer text of the vendor mentions SHA-256 without a header.",
    }

    incode = "incode" {
        title: "Incode",
        docs: "https://docs.incode.com/docs/omni-api/api/web-hooks",
        evidence: Documented,
        scheme: [token at [header "{param:place}"] after "Bearer "],
        params: ["place" = "Authorization"],
        undisclosed: ["/interviewId"],
        pitfalls: "Nothing is signed: the token is one that your own OAuth endpoint issued, or a \
            fixed header, whose name is the parameter `place`. `ONBOARDING_FINISHED` means that it \
            ended, not that it was passed.",
    }

    kycaid = "kycaid" {
        title: "KYCAID",
        docs: "https://docs.kycaid.com/callbacks/callback-integrity-verification",
        evidence: Documented,
        scheme: [HmacSha512 of "{body|b64}", Hex at [header "x-data-integrity"]],
        event_type: [json "/type"],
        delivery_id: [json "/request_id"],
        pitfalls: "The base64 of the body is signed. The secret is the API token, with which the \
            API can be called.",
        module: kycaid,
    }
}
