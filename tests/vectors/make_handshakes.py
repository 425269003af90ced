"""Writes handshakes-more.json: handshakes of providers that handshakes.json lacks, with answers computed here."""

import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
RSA = HERE / "../../src/crypto/vectors/keys/rsa2048.pem"
NOW = 1700000000


def mac(secret, text, algorithm="sha256"):
    return hmac.new(secret.encode(), text.encode(), algorithm)


def vector(note, expect, headers=None, body="", method="POST", response=None, **more):
    request = {"method": method, "headers": headers or {}, "body": body}
    if "query" in more:
        request["query"] = more.pop("query")
    entry = {"note": note, "request": request, "now": NOW, "expect": expect, **more}
    return entry | ({"response": response} if response else {})


def rsa(body):
    command = ["openssl", "dgst", "-sha256", "-sign", str(RSA)]
    return base64.b64encode(subprocess.run(command, input=body.encode(), capture_output=True, check=True).stdout).decode()


def public_key():
    return subprocess.run(["openssl", "pkey", "-in", str(RSA), "-pubout"], capture_output=True, check=True, text=True).stdout


def text(body):
    return {"status": 200, "headers": {"Content-Type": "text/plain"}, "body": body}


EMPTY = {"status": 200, "body": ""}
EVENT = '{"id":"evt_1"}'
providers = {}

secret = "test-signing-secret-of-slack-001"


def slack(body, time=NOW, key=secret):
    return {
        "X-Slack-Request-Timestamp": str(time),
        "X-Slack-Signature": "v0=" + mac(key, f"v0:{time}:{body}").hexdigest(),
        "Content-Type": "application/json",
    }


challenge = '{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'
providers["slack"] = [
    vector("signed challenge", "answered", slack(challenge), challenge, secret=secret,
           response=text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")),
    vector("wrong secret", "refused", slack(challenge, key="another-secret-of-length"), challenge, secret=secret,
           response={"status": 401}),
    vector("unsigned", "refused", {}, challenge, secret=secret, response={"status": 401}),
    vector("too old", "refused", slack(challenge, NOW - 301), challenge, secret=secret, response={"status": 401}),
    vector("no challenge", "refused", slack('{"type":"url_verification"}'), '{"type":"url_verification"}', secret=secret,
           response={"status": 400}),
    vector("an event", "passed", slack(EVENT), EVENT, secret=secret, valid=True),
]

secret = "test-secret-token-of-zoom-000001"


def zoom(body, time=NOW, key=secret):
    return {
        "x-zm-request-timestamp": str(time),
        "x-zm-signature": "v0=" + mac(key, f"v0:{time}:{body}").hexdigest(),
        "Content-Type": "application/json",
    }


def validation(token):
    return json.dumps({"payload": {"plainToken": token}, "event_ts": 1654503849680, "event": "endpoint.url_validation"})


token = "qgg8vlvZRS6UYooatFL8Aw"
body = validation(token)
answer = {"plainToken": token, "encryptedToken": mac(secret, token).hexdigest()}
oracle = validation(f"v0:{NOW}:{EVENT}")
providers["zoom"] = [
    vector("signed validation", "answered", zoom(body), body, secret=secret,
           response={"status": 200, "headers": {"Content-Type": "application/json"}, "json": answer}),
    vector("unsigned validation", "refused", {}, body, secret=secret, response={"status": 401}),
    vector("wrong secret", "refused", zoom(body, key="another-secret-of-length"), body, secret=secret,
           response={"status": 401}),
    vector("a token that is signed content", "refused", zoom(oracle), oracle, secret=secret, response={"status": 400}),
    vector("an event", "passed", zoom(EVENT), EVENT, secret=secret, valid=True),
]

secret = "test-secret-of-twitch"
TIME = "2023-11-14T22:13:20.634234626Z"


def twitch(kind, body, key=secret):
    id = "e76c6bd4-55c9-4987-8304-da1588d8988b"
    return {
        "Twitch-Eventsub-Message-Id": id,
        "Twitch-Eventsub-Message-Timestamp": TIME,
        "Twitch-Eventsub-Message-Type": kind,
        "Twitch-Eventsub-Message-Signature": "sha256=" + mac(key, id + TIME + body).hexdigest(),
        "Content-Type": "application/json",
    }


challenge = '{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387"}}'
verification = "webhook_callback_verification"
providers["twitch"] = [
    vector("signed challenge", "answered", twitch(verification, challenge), challenge, secret=secret,
           response=text("pogchamp-kappa-360noscope-vohiyo")),
    vector("wrong secret", "refused", twitch(verification, challenge, "another-secret"), challenge, secret=secret,
           response={"status": 401}),
    vector("unsigned", "refused", {"Twitch-Eventsub-Message-Type": verification}, challenge, secret=secret,
           response={"status": 401}),
    vector("revocation", "delivered", twitch("revocation", EVENT), EVENT, secret=secret),
    vector("a notification", "passed", twitch("notification", EVENT), EVENT, secret=secret, valid=True),
    vector("a notification as challenge", "refused", twitch(verification, EVENT), EVENT, secret=secret,
           response={"status": 400}),
]

secret = "test-hook-secret-of-asana-00001"
offered = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
signed = {"X-Hook-Signature": mac(secret, EVENT).hexdigest()}
handed = {"status": 200, "headers": {"X-Hook-Secret": offered}, "body": ""}
providers["asana"] = [
    vector("registration open", "handed_over", {"X-Hook-Secret": offered}, params={"registration": "open"}, response=handed,
           event={"kind": "secret", "secret": offered}),
    vector("registration closed", "refused", {"X-Hook-Secret": offered}, params={"registration": "closed"},
           response={"status": 401}),
    vector("no registration", "refused", {"X-Hook-Secret": offered}, response={"status": 401}),
    vector("an empty secret", "refused", {"X-Hook-Secret": ""}, params={"registration": "open"}, response={"status": 400}),
    vector("an event", "passed", signed, EVENT, secret=secret, valid=True),
    vector("an event while open", "passed", signed, EVENT, secret=secret, params={"registration": "open"}, valid=True),
    vector("unsigned", "passed", {}, EVENT, secret=secret, valid=False),
]

secret = "secret_test-verification-token-of-notion"
first = json.dumps({"verification_token": secret})
providers["notion"] = [
    vector("registration open", "handed_over", {"Content-Type": "application/json"}, first, params={"registration": "open"},
           response=EMPTY, event={"kind": "secret", "secret": secret}),
    vector("registration closed", "refused", {"Content-Type": "application/json"}, first, response={"status": 401}),
    vector("an event", "passed", {"X-Notion-Signature": "sha256=" + mac(secret, EVENT).hexdigest()}, EVENT, secret=secret,
           params={"registration": "open"}, valid=True),
    vector("an unsigned event while open", "passed", {"Content-Type": "application/json"}, EVENT, secret=secret,
           params={"registration": "open"}, valid=False),
    vector("signed wrongly while open", "refused", {"X-Notion-Signature": "sha256=" + "0" * 64}, first, secret=secret,
           params={"registration": "open"}, response={"status": 401}),
]

secret = "test-secret-of-woocommerce-0001"
form = {"Content-Type": "application/x-www-form-urlencoded"}


def woo(body):
    return {"X-WC-Webhook-Signature": base64.b64encode(mac(secret, body).digest()).decode()}


providers["woocommerce"] = [
    vector("ping", "answered", form, "webhook_id=17", secret=secret, response=EMPTY),
    vector("an order", "passed", woo(EVENT), EVENT, secret=secret, valid=True),
    vector("an unsigned order", "passed", {"Content-Type": "application/json"}, EVENT, secret=secret, valid=False),
    vector("the ping's field in JSON", "passed", {"Content-Type": "application/json"}, '{"webhook_id":17}', secret=secret,
           valid=False),
]

secret = "test-channel-token-of-calendar"
providers["google-calendar"] = [
    vector("first message", "answered", {"X-Goog-Channel-Token": secret, "X-Goog-Resource-State": "sync"}, secret=secret,
           response=EMPTY),
    vector("another token", "refused", {"X-Goog-Channel-Token": "guess", "X-Goog-Resource-State": "sync"}, secret=secret,
           response={"status": 401}),
    vector("a change", "passed", {"X-Goog-Channel-Token": secret, "X-Goog-Resource-State": "exists"}, secret=secret,
           valid=True),
]

secret = "test-secret-of-github-000000001"
providers["github"] = [
    vector("signed ping", "delivered", {"X-GitHub-Event": "ping", "X-Hub-Signature-256": "sha256=" + mac(secret, EVENT).hexdigest()},
           EVENT, secret=secret),
    vector("unsigned ping", "refused", {"X-GitHub-Event": "ping"}, EVENT, secret=secret, response={"status": 401}),
]

providers["wise"] = [
    vector("signed test", "delivered", {"X-Test-Notification": "true", "X-Signature-SHA256": rsa(EVENT)}, EVENT,
           public_key=public_key()),
    vector("unsigned test", "refused", {"X-Test-Notification": "true"}, EVENT, public_key=public_key(),
           response={"status": 401}),
]

secret = "test-secret-of-tebex-0000000001"


def tebex(body):
    digest = hashlib.sha256(body.encode()).hexdigest()
    return {"X-Signature": mac(secret, digest).hexdigest(), "Content-Type": "application/json"}


body = '{"id":"0e3ab1-2f","type":"validation.webhook","date":"2023-11-14T22:13:20+00:00","subject":{}}'
providers["tebex"] = [
    vector("signed validation", "answered", tebex(body), body, secret=secret,
           response={"status": 200, "headers": {"Content-Type": "application/json"}, "json": {"id": "0e3ab1-2f"}}),
    vector("unsigned validation", "refused", {}, body, secret=secret, response={"status": 401}),
]

P256 = (HERE / "../../src/crypto/vectors/keys/p256.pub.pem").read_text()
TOKEN = "verification-token-of-32-to-80-characters_01"
URL = "https://hooks.example.com/ebay"


def ebay(code):
    digest = hashlib.sha256((code + TOKEN + URL).encode()).hexdigest()
    return {"status": 200, "headers": {"Content-Type": "application/json"}, "json": {"challengeResponse": digest}}


settings = {"public_key": P256, "params": {"verification_token": TOKEN, "url": URL}}
code = "a8628072-3d33-45ee-9004-bee86830a22d"
providers["ebay"] = [
    vector("challenge", "answered", method="GET", query="challenge_code=" + code, response=ebay(code), **settings),
    vector("challenge with escapes", "answered", method="GET", query="challenge_code=%61%2B1", response=ebay("a+1"), **settings),
    vector("empty challenge", "refused", method="GET", query="challenge_code=", response={"status": 400}, **settings),
    vector("no verification token", "refused", method="GET", query="challenge_code=" + code, response={"status": 401},
           public_key=P256, params={"url": URL}),
    vector("an event that nobody signed", "passed", body="{}", query="challenge_code=" + code, valid=False, **settings),
]

document = {
    "about": "Handshakes of providers that handshakes.json lacks. make_handshakes.py computes the answers.",
    "providers": [{"id": id, "handshake": {"vectors": vectors}} for id, vectors in providers.items()],
}
(HERE / "handshakes-more.json").write_text(json.dumps(document, indent=1) + "\n")
