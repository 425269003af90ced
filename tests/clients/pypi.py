"""The vendors' own libraries on PyPI, by name, in one form: the same as npm.mjs, in Python.

`load` gives the library, `verify` refuses with `False` or by raising one of `refusal`, and `sign`
gives what the vendor puts into its signature header. A request has attributes: secret, headers (in
lower case), body (text), url, path, method, params; to sign, also id and timestamp, in unix seconds.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from importlib import import_module
from types import SimpleNamespace


class Sdk:
    def __init__(self, load, verify, sign=None, refusal=()):
        self.load = (lambda: import_module(load)) if isinstance(load, str) else load
        self.verify = verify
        self.sign = sign
        self.refusal = refusal


def standard(lib, request):
    lib.Webhook(request.secret).verify(request.body, request.headers)


def standard_sign(lib, request):
    at = datetime.fromtimestamp(request.timestamp, timezone.utc)
    return lib.Webhook(request.secret).sign(request.id, at, request.body)


# Discord has no library in Python; this is the one that its documentation names. The last 32 bytes of the PEM are the seed.
def pynacl_sign(lib, request):
    lines = request.secret.strip().splitlines()
    seed = base64.b64decode("".join(lines[1:-1]))[-32:]
    return lib.SigningKey(seed).sign(f"{request.timestamp}{request.body}".encode()).signature.hex()


def pynacl_verify(lib, request):
    message = (request.headers["x-signature-timestamp"] + request.body).encode()
    key = lib.VerifyKey(bytes.fromhex(request.secret))
    key.verify(message, bytes.fromhex(request.headers["x-signature-ed25519"]))


# PayPal's library says what is signed. It fetches the certificate, and compares with a function that pyOpenSSL no longer
# has; that is done here, with the certificate of the row.
def paypal_content(lib, request, transmission_id, time):
    webhook_id = request.params["webhook_id"]
    return lib.WebhookEvent._get_expected_sig(transmission_id, time, webhook_id, request.body).encode()


def paypal_verify(lib, request):
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    headers = request.headers
    if headers["paypal-auth-algo"] != "SHA256withRSA":
        return False
    content = paypal_content(lib, request, headers["paypal-transmission-id"], headers["paypal-transmission-time"])
    key = x509.load_pem_x509_certificate(request.secret.encode()).public_key()
    key.verify(base64.b64decode(headers["paypal-transmission-sig"]), content, PKCS1v15(), SHA256())


def paypal_sign(lib, request):
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    time = datetime.fromtimestamp(request.timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = paypal_content(lib, request, request.id, time)
    key = load_pem_private_key(request.secret.encode(), None)
    signature = key.sign(content, PKCS1v15(), SHA256())
    return {"time": time, "signature": base64.b64encode(signature).decode()}


# Mailgun's library does not sign.
def mailgun_sign(_, request):
    message = f"{request.timestamp}{request.id}".encode()
    return hmac.new(request.secret.encode(), message, hashlib.sha256).hexdigest()


def mailgun_verify(lib, request):
    proof = json.loads(request.body)["signature"]
    return lib.SecurityGuard.verify_webhook(
        request.secret, proof["token"], proof["timestamp"], proof["signature"]
    )


def hubspot(version):
    def verify(lib, request):
        v3 = version == "v3"
        return lib.Signature.is_valid(
            signature=request.headers["x-hubspot-signature-v3" if v3 else "x-hubspot-signature"],
            client_secret=request.secret,
            request_body=request.body,
            http_uri=request.url,
            http_method=request.method,
            signature_version=version,
            timestamp=request.headers.get("x-hubspot-request-timestamp"),
        )

    def sign(lib, request):
        return lib.Signature.get_signature(
            request.secret,
            request.body,
            version,
            http_uri=request.url,
            http_method=request.method,
            timestamp=str(request.timestamp * 1000),
        )

    return Sdk("hubspot.utils.signature", verify, sign, ["InvalidSignatureTimestampError"])


def slack_verify(lib, request):
    timestamp, signature = (request.headers[f"x-slack-{name}"] for name in ("request-timestamp", "signature"))
    return lib.SignatureVerifier(request.secret).is_valid(request.body, timestamp, signature)


def smile_id(lib, request):
    return lib.Signature(request.params["partner_id"], request.secret)


def smile_id_verify(lib, request):
    body = json.loads(request.body)
    return smile_id(lib, request).confirm_signature(body["timestamp"], body["signature"])


def smile_id_sign(lib, request):
    at = datetime.fromtimestamp(request.timestamp, timezone.utc).isoformat()
    return smile_id(lib, request).generate_signature(at)


def workos_verify(lib, request):
    client = lib.WorkOSClient(api_key="unused", client_id="unused")
    client.webhooks.verify_header(
        event_body=request.body,
        event_signature=request.headers["workos-signature"],
        secret=request.secret,
    )


def mercado_pago_verify(lib, request):
    lib.WebhookSignatureValidator.validate(
        request.headers["x-signature"],
        request.headers["x-request-id"],
        request.query["data.id"],
        request.secret,
    )


def razorpay_verify(lib, request):
    client = lib.Client(auth=("unused", "unused"))
    signature = request.headers["x-razorpay-signature"]
    return client.utility.verify_webhook_signature(request.body, signature, request.secret)


def square_verify(lib, request):
    return lib.verify_signature(
        request_body=request.body,
        signature_header=request.headers["x-square-hmacsha256-signature"],
        signature_key=request.secret,
        notification_url=request.params["url"],
    )


def pusher_verify(lib, request):
    client = lib.Pusher(app_id="1", key="key", secret=request.secret, cluster="eu")
    return client.validate_webhook("key", request.headers["x-pusher-signature"], request.body) is not None


def dropbox_sign_verify(lib, request):
    event = lib.EventCallbackRequest.init(json.loads(request.form["json"]))
    return lib.EventCallbackHelper.is_valid(request.secret, event)


def cashfree_verify(lib, request):
    client = lib.Cashfree(lib.Cashfree.SANDBOX, XClientSecret=request.secret)
    timestamp, signature = (request.headers[f"x-webhook-{name}"] for name in ("timestamp", "signature"))
    client.PGVerifyWebhookSignature(signature, request.body, timestamp)


def paddle_verify(lib, request):
    received = SimpleNamespace(
        headers={"Paddle-Signature": request.headers["paddle-signature"]}, body=request.body.encode()
    )
    return lib.Verifier().verify(received, lib.Secret(request.secret))


COVERED = ["@method", "@target-uri", "content-digest"]


def rfc9421_keys(secret):
    key = base64.b64decode(secret)
    return SimpleNamespace(resolve_public_key=lambda _: key, resolve_private_key=lambda _: key)


def rfc9421_sign(lib, request):
    message = SimpleNamespace(method=request.method, url=request.url, headers={})
    signer = lib.HTTPMessageSigner(
        signature_algorithm=lib.algorithms.HMAC_SHA256, key_resolver=rfc9421_keys(request.secret)
    )
    created = datetime.fromtimestamp(request.timestamp, timezone.utc)
    body = request.body.encode()
    signer.sign(message, key_id="k1", created=created, covered_component_ids=COVERED[:2], body=body)
    headers = {name.lower(): value for name, value in message.headers.items()}
    return {
        "digest": headers["content-digest"],
        "input": headers["signature-input"],
        "signature": headers["signature"],
    }


def rfc9421_verify(lib, request):
    message = SimpleNamespace(method=request.method, url=request.url, headers=request.headers)
    verifier = lib.HTTPMessageVerifier(
        signature_algorithm=lib.algorithms.HMAC_SHA256, key_resolver=rfc9421_keys(request.secret)
    )
    # It is added to the age as well.
    verifier.max_clock_skew = timedelta(seconds=300)
    verifier.verify(message, max_age=timedelta(0), require_components=COVERED, body=request.body.encode())


def viber():
    lib = import_module("viberbot")
    configuration = import_module("viberbot.api.bot_configuration").BotConfiguration
    return lambda secret: lib.Api(configuration(auth_token=secret, name="unused", avatar=""))


def sinch_voice_verify(lib, request):
    # It knows the word of newer products only, and we sign with the older one.
    authorization = request.headers["authorization"].replace("Application ", "Service ")
    headers = {**request.headers, "authorization": authorization}
    return lib.validate_authentication_header(
        request.params["key_id"], request.secret, headers, request.body, request.path, request.method
    )


def adyen_verify(lib, request):
    items = json.loads(request.body)["notificationItems"]
    verdicts = [
        lib.is_valid_hmac_notification(item["NotificationRequestItem"], request.secret) for item in items
    ]
    return len(verdicts) > 0 and all(verdicts)


def adyen_sign(lib, request):
    item = json.loads(request.body)["notificationItems"][0]["NotificationRequestItem"]
    return lib.generate_notification_sig(item, request.secret).decode()


SDKS = {
    "adyen": Sdk("Adyen.util", adyen_verify, adyen_sign),
    "adyen-platforms": Sdk(
        "Adyen.util",
        lambda lib, request: lib.is_valid_hmac_payload(
            request.headers["hmacsignature"], request.secret, request.body.encode()
        ),
        lambda lib, request: lib.generate_payload_sig(request.body.encode(), request.secret).decode(),
    ),
    "box": Sdk(
        "box_sdk_gen.managers.webhooks",
        lambda lib, request: lib.WebhooksManager.validate_message(
            request.body, request.headers, request.secret
        ),
    ),
    "cashfree": Sdk("cashfree_pg.api_client", cashfree_verify, refusal=["Exception"]),
    "coinbase-commerce": Sdk(
        "coinbase_commerce.webhook",
        lambda lib, request: lib.WebhookSignature.verify_sig_header(
            request.body, request.headers["x-cc-webhook-signature"], request.secret
        ),
        refusal=["SignatureVerificationError"],
    ),
    "complycube": Sdk(
        "complycube.eventverifier",
        lambda lib, request: lib.EventVerifier(request.secret).construct_event(
            request.body.encode(), request.headers["complycube-signature"]
        ),
        refusal=["VertificationError"],
    ),
    "dropbox-sign": Sdk("dropbox_sign", dropbox_sign_verify),
    "easypost": Sdk(
        "easypost.util",
        lambda lib, request: lib.validate_webhook(
            request.body.encode(), {"X-Hmac-Signature": request.headers["x-hmac-signature"]}, request.secret
        ),
        refusal=["SignatureVerificationError"],
    ),
    "elevenlabs": Sdk(
        "elevenlabs.webhooks_custom",
        lambda lib, request: lib.WebhooksClient(client_wrapper=None).construct_event(
            request.body, request.headers["elevenlabs-signature"], request.secret
        ),
        refusal=["BadRequestError"],
    ),
    "gocardless": Sdk(
        "gocardless_pro.webhooks",
        lambda lib, request: lib.parse(request.body, request.secret, request.headers["webhook-signature"]),
        refusal=["InvalidSignatureError"],
    ),
    "hubspot-v1": hubspot("v1"),
    "hubspot-v2": hubspot("v2"),
    "hubspot-v3": hubspot("v3"),
    "mailgun": Sdk("mailgun.security", mailgun_verify, mailgun_sign),
    "mercado-pago": Sdk(
        "mercadopago.webhook", mercado_pago_verify, refusal=["InvalidWebhookSignatureError"]
    ),
    "onfido": Sdk(
        "onfido",
        lambda lib, request: lib.WebhookEventVerifier(request.secret).read_payload(
            request.body, request.headers["x-sha2-signature"]
        ),
        refusal=["OnfidoInvalidSignatureError"],
    ),
    "paddle": Sdk("paddle_billing.Notifications", paddle_verify),
    "paypal": Sdk("paypalrestsdk", paypal_verify, paypal_sign, ["InvalidSignature"]),
    "pusher": Sdk("pusher", pusher_verify),
    "pynacl": Sdk("nacl.signing", pynacl_verify, pynacl_sign, ["BadSignatureError"]),
    "razorpay": Sdk("razorpay", razorpay_verify, refusal=["SignatureVerificationError"]),
    "rfc9421": Sdk(
        "http_message_signatures",
        rfc9421_verify,
        rfc9421_sign,
        ["HTTPMessageSignaturesException", "InvalidSignature"],
    ),
    "sinch-conversation": Sdk(
        "sinch.domains.conversation.sinch_events.v1.conversation_sinch_event",
        lambda lib, request: lib.ConversationSinchEvent(
            request.secret
        ).validate_authentication_header(request.headers, request.body),
    ),
    "sinch-numbers": Sdk(
        "sinch.domains.numbers.sinch_events.v1.sinch_events",
        lambda lib, request: lib.SinchEvents(request.secret).validate_authentication_header(
            request.headers, request.body
        ),
    ),
    "sinch-voice": Sdk("sinch.core.internal.sinch_events.authorization_helpers", sinch_voice_verify),
    "slack": Sdk(
        "slack_sdk.signature",
        slack_verify,
        lambda lib, request: lib.SignatureVerifier(request.secret).generate_signature(
            timestamp=str(request.timestamp), body=request.body
        ),
    ),
    "smile-id": Sdk("smile_id_core", smile_id_verify, smile_id_sign),
    "square": Sdk("square.utils.webhooks_helper", square_verify),
    "standardwebhooks": Sdk(
        "standardwebhooks", standard, standard_sign, ["WebhookVerificationError"]
    ),
    "svix": Sdk("svix.webhooks", standard, standard_sign, ["WebhookVerificationError"]),
    "viber": Sdk(
        viber,
        lambda api, request: api(request.secret).verify_signature(
            request.body.encode(), request.headers["x-viber-content-signature"]
        ),
    ),
    "workos": Sdk("workos", workos_verify, refusal=["ValueError"]),
}
