"""As clients.mjs, for the libraries of pypi.py: the same questions and answers, each a line of JSON."""

import json
import sys
import traceback
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

from pypi import SDKS

replies = sys.stdout


class Dropped:
    """In place of the standard streams: a library's output may be the signature that it expects."""

    printed = 0

    def write(self, text):
        self.printed += len(text)
        return len(text)

    def flush(self):
        pass


dropped = sys.stdout = sys.stderr = Dropped()
loaded = {}


def library(name):
    if name not in loaded:
        loaded[name] = SDKS[name].load()
    return loaded[name]


def answer(question):
    sdk = SDKS[question["client"]]
    try:
        lib = library(question["client"])
    except Exception as error:
        return {"error": f"cannot be loaded: {error!r}"}
    dropped.printed = 0
    request = SimpleNamespace(**{"url": "", "body": "", **question})
    url = urlsplit(request.url)
    request.path, request.query = url.path, dict(parse_qsl(url.query))
    request.form = dict(parse_qsl(request.body))
    if request.action == "load":
        return {"loaded": True}
    if request.action == "sign":
        made = sdk.sign(lib, request)
        return {"signature": made} if isinstance(made, str) else made
    try:
        verdict = sdk.verify(lib, request)
    except Exception as error:
        # A mistake of ours in calling the library must not look like a refusal.
        why = type(error).__name__
        if why not in sdk.refusal:
            raise
        return {"verdict": "refused", "why": why, "printed": dropped.printed}
    if verdict is False:
        return {"verdict": "refused", "why": "False", "printed": dropped.printed}
    return {"verdict": "ok", "printed": dropped.printed}


def place(error):
    """Where an error is from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return " ".join([type(error).__name__, *(f"{frame.filename}:{frame.lineno}" for frame in frames[-3:])])


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {"error": place(error)}
    print(json.dumps(reply), file=replies, flush=True)
