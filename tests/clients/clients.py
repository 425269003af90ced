"""As clients.mjs, for libraries in Python: the same questions and answers, each a line of JSON.

`sign` answers with what the provider puts into its header or its body, and `verify` is given the headers and the body.
"""

import base64
import hashlib
import hmac
import json
import sys

from mailgun.security import SecurityGuard
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey


class Refused(Exception):
    """What a library says with `False`."""


def discord_sign(question):
    """As Discord signs; the library is the one that its documentation names. The last 32 bytes of the PEM are the seed."""
    lines = question["secret"].strip().splitlines()
    seed = base64.b64decode("".join(lines[1:-1]))[-32:]
    message = f"{question['timestamp']}{question['body']}".encode()
    return SigningKey(seed).sign(message).signature.hex()


def discord_verify(question):
    headers = question["headers"]
    message = (headers["x-signature-timestamp"] + question["body"]).encode()
    key = VerifyKey(bytes.fromhex(question["secret"]))
    try:
        key.verify(message, bytes.fromhex(headers["x-signature-ed25519"]))
    except BadSignatureError as error:
        raise Refused(str(error)) from error


def mailgun_sign(question):
    """Mailgun's library does not sign."""
    message = f"{question['timestamp']}{question['id']}".encode()
    return hmac.new(question["secret"].encode(), message, hashlib.sha256).hexdigest()


def mailgun_verify(question):
    proof = json.loads(question["body"])["signature"]
    if not SecurityGuard.verify_webhook(
        question["secret"], proof["token"], proof["timestamp"], proof["signature"]
    ):
        raise Refused("no match")


CLIENTS = {
    "pynacl": (discord_sign, discord_verify),
    "mailgun": (mailgun_sign, mailgun_verify),
}


def answer(question):
    sign, verify = CLIENTS[question["client"]]
    if question["action"] == "sign":
        return {"signature": sign(question)}
    try:
        verify(question)
    except Refused as error:
        return {"verdict": "refused", "why": str(error)}
    return {"verdict": "ok"}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:  # A mistake of ours in calling the library must not look like a refusal.
        reply = {"error": repr(error)}
    print(json.dumps(reply), flush=True)
