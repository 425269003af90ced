#!/usr/bin/env python3
"""Makes accepting.json: requests that their schemes have to accept.

An implementation of its own, on Python's hashlib and hmac alone, so that the crate is not tested against itself. It
reads the schemes beside it and writes to standard output, the same bytes on every run:

    python3 tests/vectors/make_accepting.py > tests/vectors/accepting.json

Every scheme of schemes.json that is a keyed hash or a token, and has no accepting vector there, gets two requests. Of a
public key there are changed samples only, from which the sample is restored. The tail of this file adds the ways in
which several signatures and keys stand in one request.
"""

import base64
import email.utils
import datetime
import hashlib
import hmac
import json
import pathlib
import sys

TIME = 1_700_000_000
TEXT = '{"id":"evt_1","note":"héllo ✓ \\" \\\\ / \u007f \u2028"}'.encode()
PRETTY = '{\r\n\t"amount": 12.50,\r\n\t"note": "žluťoučký"\r\n}\r\n'.encode()
BINARY = bytes(range(256)) + b"\r\n"
URL = "https://example.com/webhook"


def key_bytes(spec, secret):
    prefix = spec.get("strip_prefix", "")
    if prefix and secret.startswith(prefix):
        secret = secret[len(prefix):]
    if spec["encoding"] == "base64":
        return base64.b64decode(secret, validate=True)
    if spec["encoding"] == "hex":
        return bytes.fromhex(secret)
    return secret.encode()


def a_secret(spec, number):
    """A secret of 32 bytes, written as the scheme wants it."""
    raw = hashlib.sha256(b"secret %d" % number).digest()
    text = {"base64": base64.b64encode(raw).decode(), "hex": raw.hex()}.get(spec["encoding"], f"secret-{raw.hex()}")
    return spec.get("strip_prefix", "") + text


def filtered(value, name):
    if name == "sha256hex":
        return hashlib.sha256(value).hexdigest().encode()
    if name == "jsonstr":
        return json.dumps(value.decode(), ensure_ascii=False).encode()
    raise ValueError(name)


def content(template, values, header, fields):
    """What is signed, as bytes."""
    out = b""
    at = 0
    while at < len(template):
        two = template[at:at + 2]
        if two in ("{{", "}}"):
            out += two[0].encode()
            at += 2
        elif template[at] == "{":
            end = template.index("}", at)
            token, *filters = template[at + 1:end].split("|")
            if token.startswith("json:/"):
                value = json.loads(values["body"])[token[len("json:/"):]].encode()
            elif token.startswith("header:"):
                value = header[token[len("header:"):]].encode()
            elif token.startswith("field:"):
                value = fields[token[len("field:"):]].encode()
            else:
                value = values[token]
            for name in filters:
                value = filtered(value, name)
            out += value
            at = end + 1
        else:
            out += template[at].encode()
            at += 1
    return out


def tag(scheme, secret, message):
    kind, _, name = scheme["alg"].rpartition("-")
    if kind == "hmac":
        return hmac.new(key_bytes(scheme["key"], secret), message, name).digest()
    return hashlib.new(name, message).digest()


def spelled(scheme, signature):
    encoding = scheme["sig"]["encoding"]
    if encoding == "hex":
        return signature.hex()
    if encoding == "base64":
        return base64.b64encode(signature).decode()
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def time_text(unit, seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return {
        "s": str(seconds),
        "ms": f"{seconds}123",
        "rfc3339": moment.strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
        "imf-fixdate": email.utils.format_datetime(moment, usegmt=True),
    }[unit]


def names(scheme):
    name = scheme["sig"]["name"]
    return name if isinstance(name, list) else [name]


def tokens(template, kind):
    """The arguments of the tokens of one kind, in order."""
    parts = template.replace("{{", "").split("{" + kind + ":")[1:]
    return [part.split("}")[0].split("|")[0] for part in parts]


class Request:
    """One request, signed once or several times."""

    def __init__(self, scheme, body, seconds=TIME):
        self.scheme = scheme
        self.body = body
        stamp = scheme.get("ts")
        self.time = time_text(stamp["unit"], seconds) if stamp else None
        self.fields = {name: "master" for name in tokens(scheme["message"], "field")}
        if stamp and stamp["in"] == "field":
            self.fields[stamp["name"]] = self.time
        self.header = {name: f"msg-{len(body)}" for name in tokens(scheme["message"], "header")}
        if stamp and stamp["in"] == "header":
            self.header[stamp["name"]] = self.time
        for rule in scheme.get("require", []):
            self.header[rule["header"]] = rule["equals"]
        choice = scheme.get("alg_from")
        if choice:
            named = [name for name, alg in choice["map"].items() if alg == scheme["alg"]]
            self.header[choice["header"]] = named[0]

    def signature(self, secret):
        values = {"body": self.body, "secret": secret.encode(), "url": URL.encode(), "method": b"POST"}
        if self.time is not None:
            values["ts"] = self.time.encode()
        message = content(self.scheme["message"], values, self.header, self.fields)
        return spelled(self.scheme, tag(self.scheme, secret, message))

    def value(self, *signatures):
        """The value of a signature header that holds these."""
        sig = self.scheme["sig"]
        if sig["grammar"] == "single":
            (only,) = signatures
            return sig.get("prefix", "") + only
        if sig["grammar"] == "list":
            return sig["sep"].join(sig.get("prefix", "") + one for one in signatures)
        if sig["grammar"] == "positional":
            return sig["sep"].join([self.fields["0"], *signatures])
        pairs = [*self.fields.items(), *((sig["field"], one) for one in signatures)]
        return sig["sep"].join(name + sig["kv_sep"] + value for name, value in pairs)

    def vector(self, scheme_id, what, secrets, signed, **more):
        """`signed` holds the signature headers, as pairs of name and value."""
        made = {"id": scheme_id, "what": what, "now": TIME, "secrets": secrets, "headers": [*self.header.items(), *signed]}
        made.update(more)
        try:
            made["body"] = self.body.decode()
        except UnicodeDecodeError:
            made["body_hex"] = self.body.hex()
        return made


def plain(scheme_id, scheme, what, body, seconds=TIME, **more):
    """A request with one signature, in the first header that may hold it."""
    request = Request(scheme, body, seconds)
    secret = a_secret(scheme["key"], 1)
    signed = [(names(scheme)[0], request.value(request.signature(secret)))]
    return request.vector(scheme_id, what, [secret], signed, **more)


def has_accepting(entry):
    return any(vector["valid"] for vector in entry["test_vectors"])


def is_ours(entry):
    core = entry["fit"] == "declarative core" and entry["scheme"]["kind"] in ("mac", "digest")
    return core or entry["fit"] == "declarative + request context" and not has_accepting(entry)


def edges(scheme):
    """The oldest time that passes and the one furthest ahead. Thirty years stand for a side without a limit."""
    past = scheme.get("tolerance_s")
    ahead = scheme.get("tolerance_future_s", past)
    far = 1_000_000_000
    return TIME - (far if past is None else past), TIME + (far if ahead is None else min(ahead, far))


def for_entry(entry):
    scheme = entry["scheme"]
    oldest, furthest = edges(scheme)
    yield plain(entry["id"], scheme, "text, as old as may be", TEXT, oldest)
    last = PRETTY if "jsonstr" in scheme["message"] else BINARY
    yield plain(entry["id"], scheme, "odd bytes, as far ahead as may be", last, furthest)


def token(entry, what, secret, written):
    """A request that contains `secret`, as `written`."""
    scheme = entry["scheme"]
    place = names(scheme)[0]
    written = scheme["sig"].get("prefix", "") + written
    request = {"id": entry["id"], "what": what, "now": TIME, "secrets": [secret], "headers": [], "body": TEXT.decode()}
    if scheme["sig"]["in"] == "header":
        request["headers"] = [[place, written]]
    elif "*" in place:
        _, array, _, member = place.split("/")
        request["body"] = json.dumps({array: [{member: written, "id": number} for number in (1, 2)]})
    else:
        request["body"] = json.dumps({place[1:]: written, "id": 1})
    return request


def tokens_of(entry):
    if entry["scheme"]["kind"] == "basic":
        for what, secret in ("user and password", "user:pass word"), ("no user, and a colon", ":pass:wörd"):
            yield token(entry, what, secret, base64.b64encode(secret.encode()).decode())
    else:
        for what, secret in ("a token", "a-token-of-some-length"), ("punctuation", "a~token+of/some=length, with more"):
            yield token(entry, what, secret, secret)


def in_the_body(schemes):
    # The time is in the body, which is signed as a whole.
    scheme = schemes["linear"]
    secret = a_secret(scheme["key"], 1)
    for what, ahead in ("as old as may be", -60), ("as far ahead as may be", 60):
        body = json.dumps({"action": "create", "webhookTimestamp": (TIME + ahead) * 1000}).encode()
        request = Request(scheme | {"ts": None}, body)
        yield request.vector("linear", what, [secret], [("Linear-Signature", request.signature(secret))])
    # The signature is beside the values that it signs.
    scheme = schemes["midtrans"]
    secret = a_secret(scheme["key"], 1)
    for what, amount in ("values as text", "12.50"), ("escapes and letters", "é\"1"):
        order = {"order_id": "order-1", "status_code": "200", "gross_amount": amount}
        signature = Request(scheme, json.dumps(order).encode()).signature(secret)
        body = json.dumps(order | {"signature_key": signature, "fraud_status": "accept"}).encode()
        yield Request(scheme, body).vector("midtrans", what, [secret], [])


def restored(entry):
    """The sample of the vendor, to whose body the catalogue has added a space."""
    changed = next(vector for vector in entry["test_vectors"] if vector.get("note") == "body changed")
    assert changed["body"].endswith(" ")
    return {
        "id": entry["id"],
        "what": "the sample of the vendor",
        "now": changed["now"],
        "secrets": [changed["secret"]],
        "headers": list(changed["headers"].items()),
        "body": changed["body"][:-1],
    }


def varieties(schemes):
    def start(scheme_id, body=TEXT):
        request = Request(schemes[scheme_id], body)
        return request, [a_secret(request.scheme["key"], number) for number in (1, 2, 3)]

    # Two sets of fields, one of each key, with the same time.
    request, keys = start("persona")
    sets = [request.value(request.signature(key)) for key in keys[:2]]
    header = [(names(request.scheme)[0], " ".join(sets))]
    yield request.vector("persona", "two sets, the first key", keys[:1], header)
    yield request.vector("persona", "two sets, the second key", keys[1:2], header)

    # A list in which the second item is ours, behind one of another key and one of another version.
    request, keys = start("standard-webhooks")
    both = request.value(request.signature(keys[0]), request.signature(keys[1]))
    header = [("webhook-signature", "v1a,bm90IG9uZSBvZiBvdXJz " + both)]
    yield request.vector("standard-webhooks", "the third item of a list", keys[1:2], header)
    request, keys = start("pagerduty")
    header = [(names(request.scheme)[0], request.value(*(request.signature(key) for key in keys)))]
    yield request.vector("pagerduty", "the last of three items", keys[2:], header)

    # Numbered headers, one for each key.
    request, keys = start("docusign")
    header = [(names(request.scheme)[place], request.signature(key)) for place, key in enumerate(keys)]
    yield request.vector("docusign", "the third of three headers", keys[2:], header)
    yield request.vector("docusign", "the third header alone", keys[2:], header[2:])
    request, keys = start("box", PRETTY)
    header = [(name, request.signature(key)) for name, key in zip(names(request.scheme), keys)]
    yield request.vector("box", "the secondary header", keys[1:2], header)
    yield request.vector("box", "the secondary header alone", keys[1:2], header[1:])

    # Two fields of one name, one for each key, and one of another name.
    request, keys = start("stripe")
    value = request.value(*(request.signature(key) for key in keys[:2]))
    header = [("Stripe-Signature", value + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39")]
    yield request.vector("stripe", "two fields, the first", keys[:1], header)
    yield request.vector("stripe", "two fields, the second", keys[1:2], header)

    # Two lines of one header.
    request, keys = start("mollie")
    header = [("X-Mollie-Signature", request.value(request.signature(key))) for key in keys[:2]]
    yield request.vector("mollie", "two lines, the first", keys[:1], header)
    yield request.vector("mollie", "two lines, the second", keys[1:2], header)

    # Signatures by place.
    request, keys = start("recurly")
    header = [("recurly-signature", request.value(*(request.signature(key) for key in keys)))]
    yield request.vector("recurly", "the last of three places", keys[2:], header)

    # Fields in any order.
    request, keys = start("hygraph", PRETTY)
    request.fields["env"] = 'a "quoted" name'
    pairs = [("env", request.fields["env"]), ("sign", request.signature(keys[0])), ("t", request.time)]
    header = [("gcms-signature", ", ".join(f"{name}={value}" for name, value in pairs))]
    yield request.vector("hygraph", "fields in another order, with spaces", keys[:1], header)

    # The other algorithms that a sender may have been set to.
    for alg in ("hmac-sha1", "hmac-sha512"):
        chosen = schemes["sumsub"] | {"alg": alg}
        yield plain("sumsub", chosen, alg, TEXT, scheme_override={"alg": alg})

    # Several keys of ours, and any of them may have signed.
    request, keys = start("github")
    header = [("X-Hub-Signature-256", request.value(request.signature(keys[2])))]
    yield request.vector("github", "the last of three keys", keys, header)

    # Nothing at all in the body.
    for scheme_id in ("github", "stripe", "standard-webhooks", "recharge"):
        yield plain(scheme_id, schemes[scheme_id], "an empty body", b"")

    # Secrets as vendors print them: without padding, with spare bits, without the prefix.
    scheme = schemes["voveid"]
    for what, secret, full in (
        ("a secret without padding", "whsec_E3dX7iILW4VUAs69xtdvYWll0uMOiaDTM3bIa/HI8/I", "E3dX7iILW4VUAs69xtdvYWll0uMOiaDTM3bIa/HI8/I="),
        ("a secret with spare bits", "whsec_5WbX5kEWLlfzsGNjH64Ide8lOOqUB6e8FH", "5WbX5kEWLlfzsGNjH64Ide8lOOqUB6e8FA=="),
        ("a secret without its prefix", "om0EjdB1c8IeEObkRobdYxu0YANtCT3E", "om0EjdB1c8IeEObkRobdYxu0YANtCT3E"),
    ):
        request = Request(scheme, TEXT)
        yield request.vector("voveid", what, [secret], [("svix-signature", request.value(request.signature(full)))])


def main():
    here = pathlib.Path(__file__).resolve().parent
    catalogue = json.loads((here / "schemes.json").read_text(encoding="utf-8"))
    entries = [entry for entry in catalogue["providers"] if is_ours(entry)]
    vectors = [vector for entry in entries if not has_accepting(entry) for vector in for_entry(entry)]
    everything = {entry["id"]: entry for entry in catalogue["providers"]}
    schemes = {name: entry["scheme"] for name, entry in everything.items()}
    for entry in catalogue["providers"]:
        if entry["fit"] == "token" and not has_accepting(entry):
            vectors.extend(tokens_of(entry))
    vectors.extend(in_the_body(schemes))
    vectors.extend(restored(everything[name]) for name in ("discord", "sendgrid"))
    vectors.extend(varieties(schemes))
    lines = ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in vectors)
    sys.stdout.write('{"vectors": [\n' + lines + "\n]}\n")


main()
