//! Payments.

entries! {
    PAYMENTS_G_TO_Z, PAYMENTS_G_TO_Z_FACTS: "Payments"

    gocardless = "gocardless" {
        title: "GoCardless",
        docs: "https://www.npmjs.com/package/gocardless-nodejs",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "Webhook-Signature"]],
        event_type: [json "/events/0/action"],
        delivery_id: [json "/meta/webhook_id"],
        pitfalls: "The vendor asks for status 498 for a wrong signature; the answer here is 401. \
            One body carries several events.",
    }

    juspay = "juspay" {
        title: "Juspay",
        evidence: Reported,
        scheme: [basic],
        event_type: [json "/event_name"],
        delivery_id: [json "/id"],
        pitfalls: "User and password are those of the webhook's settings; nothing is signed.",
    }

    korapay = "korapay" {
        title: "Korapay",
        evidence: Reported,
        scheme: [HmacSha256 of "{span:/data}", Hex at [header "x-korapay-signature"], covers parts],
        event_type: [json "/event"],
        delivery_id: [json "/data/reference"],
        pitfalls: "Only `/data` is signed, so `/event` can be changed. The secret is the secret \
            API key.",
    }

    lithic = "lithic" {
        title: "Lithic",
        docs: "https://www.npmjs.com/package/lithic",
        evidence: Ran,
        scheme: [as standard_webhooks],
        event_type: [json "/event_type"],
        delivery_id: [header "webhook-id"] unique,
        pitfalls: "Signs as Standard Webhooks do.",
    }

    mercado_pago = "mercado-pago" {
        title: "Mercado Pago",
        docs: "https://www.npmjs.com/package/mercadopago",
        evidence: Ran,
        scheme: [
            HmacSha256 of "id:{query:data.id|lower};request-id:{header:x-request-id};ts:{ts};", Hex [fields ',' "v1"]
            at [header "x-signature"],
            time Milliseconds at [field "ts"] within off,
            covers nothing
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "Only the id in the query, the request's id and the time are signed: fetch the \
            payment by its id. The vendor's sources differ on the case of the id and on the unit \
            of the time, so no window is set. A notification without the id or the request's id is \
            refused, and those of QR codes are unsigned.",
    }

    midtrans = "midtrans" {
        title: "Midtrans",
        evidence: Assumed,
        scheme: [
            Sha512 of "{json:/order_id}{json:/status_code}{json:/gross_amount}{secret}", Hex
            at [json "/signature_key"],
            covers parts
        ],
        event_type: [json "/transaction_status"],
        delivery_id: [json "/transaction_id"],
        pitfalls: "Order, status and amount are signed, and the rest is not. The secret is the \
            server key.",
    }

    modern_treasury = "modern-treasury" {
        title: "Modern Treasury",
        docs: "https://www.npmjs.com/package/modern-treasury",
        evidence: Ran,
        scheme: [as x_signature],
        event_type: [header "X-Topic"],
        delivery_id: [header "X-Webhook-Id"],
        pitfalls: "Topic and id are in headers that are not signed.",
    }

    mollie = "mollie" {
        title: "Mollie (next-gen)",
        docs: "https://docs.mollie.com/reference/webhooks-best-practices",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{body}", Hex [after "sha256="] at [header "X-Mollie-Signature"],
            lines repeated
        ],
        event_type: [json "/type"],
        delivery_id: [json "/id"],
        pitfalls: "While a secret is being replaced, the header is sent twice. Classic webhooks, \
            whose body is only an id, are unsigned: fetch the payment.",
    }

    opennode = "opennode" {
        title: "OpenNode",
        docs: "https://www.npmjs.com/package/opennode",
        evidence: Ran,
        scheme: [HmacSha256 of "{form:id}", Hex at [form "hashed_order"], covers parts],
        pitfalls: "Only the charge's id is signed, the same for every status: fetch the charge. \
            The secret is the API key.",
    }

    paystack = "paystack" {
        title: "Paystack",
        docs: "https://paystack.com/docs/payments/webhooks/",
        evidence: Reported,
        scheme: [HmacSha512 of "{body}", Hex at [header "x-paystack-signature"]],
        event_type: [json "/event"],
        delivery_id: [json "/data/id"],
        pitfalls: "The secret is the secret API key, with which much more can be done than sign \
            webhooks.",
    }

    phonepe = "phonepe" {
        title: "PhonePe (X-VERIFY)",
        docs: "https://developer.phonepe.com/v1/reference/php-callback-verification",
        evidence: Reported,
        scheme: [
            Sha256 of "{json:/response}{secret}", Hex [list '#'] at [header "X-VERIFY"],
            covers parts
        ],
        pitfalls: "The event is JSON in base64 in `/response`, which is signed; nothing else belongs to the body. The \
            secret is the salt key. The number of the key follows the signature (`###1`): set all keys that are valid. \
            Newer accounts have other callbacks, with a token.",
    }

    pinwheel = "pinwheel" {
        title: "Pinwheel",
        evidence: Reported,
        scheme: [
            HmacSha256 of "v2:{ts}:{body}", Hex [after "v2="] at [header "x-pinwheel-signature"],
            time Seconds at [header "x-timestamp"] within off
        ],
        event_type: [json "/event"],
        delivery_id: [json "/event_id"],
        pitfalls: "Known from one public test; no window is published.",
    }

    ramp = "ramp" {
        title: "Ramp (business)",
        docs: "https://docs.ramp.com/developer-api/v1/webhooks",
        evidence: Reported,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Ramp-Signature"]],
        pitfalls: "Hex is what implementations read; the vendor does not say. Ramp Network is \
            another company, and signs differently.",
    }

    razorpay = "razorpay" {
        title: "Razorpay",
        docs: "https://www.npmjs.com/package/razorpay",
        evidence: Ran,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Razorpay-Signature"]],
        event_type: [json "/event"],
        delivery_id: [header "x-razorpay-event-id"],
        pitfalls: "The id of the event is in a header that is not signed.",
    }

    ripple_collections = "ripple-collections" {
        title: "Ripple Collections",
        docs: "https://docs.ripple.com/products/collections/guides/verifying-webhooks",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body|sha256hex}", Hex [fields ',' "v1"]
            at [header "X-Webhook-Signature"],
            time Milliseconds at [field "t"] within 300,
            secret Base64
        ],
        pitfalls: "The hex SHA-256 of the body is signed, and not the body itself.",
    }

    square = "square" {
        title: "Square",
        docs: "https://developer.squareup.com/docs/webhooks/step3validate",
        evidence: Ran,
        scheme: [HmacSha256 of "{url}{body}", Base64 at [header "x-square-hmacsha256-signature"]],
        event_type: [json "/type"],
        delivery_id: [json "/event_id"],
        pitfalls: "The URL has to be the parameter `url`, exactly as it was registered with \
            Square.",
    }

    strike = "strike" {
        title: "Strike",
        docs: "https://docs.strike.me/webhooks/signature-verification",
        evidence: Documented,
        scheme: [HmacSha256 of "{body}", Hex at [header "X-Webhook-Signature"]],
        pitfalls: "The vendor's sample serialises the body again; the raw body is what counts.",
    }

    wise = "wise" {
        title: "Wise",
        docs: "https://docs.wise.com/api-docs/webhooks-notifications/event-handling",
        evidence: Reported,
        scheme: [RsaPkcs1Sha256 of "{body}", Base64 at [header "X-Signature-SHA256"]],
        event_type: [json "/event_type"],
        delivery_id: [header "X-Delivery-Id"],
        pitfalls: "The vendor publishes one key per environment. `X-Test-Notification` marks \
            tests, and is not signed.",
    }

    worldpay = "worldpay" {
        title: "Worldpay (Access events)",
        docs: "https://developer.worldpay.com/products/access/events/signature/",
        evidence: Documented,
        scheme: [
            HmacSha256 of "{body}", Hex [list ',' after "{param:key_id}/SHA256/"]
            at [header "Event-Signature"]
        ],
        params: ["key_id" = "1"],
        success: 200,
        pitfalls: "Signing has to be requested. The id of the key in front of the signature is the \
            parameter `key_id`, which rises with each new secret. The vendor expects 400 for a \
            wrong signature; the answer here is 401.",
    }

    xendit = "xendit" {
        title: "Xendit",
        evidence: Reported,
        scheme: [token at [header "x-callback-token"]],
        event_type: [json "/event"],
        delivery_id: [header "webhook-id"],
        pitfalls: "The callback token is sent as it is.",
    }

    zoho_payments = "zoho-payments" {
        title: "Zoho Payments",
        evidence: Reported,
        scheme: [
            HmacSha256 of "{ts}.{body}", Hex [fields ',' "v"]
            at [header "X-Zoho-Webhook-Signature"],
            time Milliseconds at [field "t"] within off
        ],
        pitfalls: "The unit of the time is a reading, and other products of Zoho do not sign in \
            this way. No window is published: set `tolerance`.",
    }
}
