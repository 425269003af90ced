"""Draws docs/explain-*.svg and docs/listen-*.svg: the program's real output, for light and dark pages.

usage: python3 tests/pictures.py [PROGRAM]
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/debug/tower-webhook").resolve()
NOW = "1795860000"
COLUMNS, LINE, LETTER = 104, 19, 7.83
CONFIG = """[endpoints.orders]
provider = "shopify"
secret = { env = "SHOPIFY_SECRET" }

[endpoints.payments]
provider = "stripe"
secret = { env = "STRIPE_SECRET", id = "2026-11" }
"""
ORDER = '{"id":820982911946154508,"email":"jon@example.com","total_price":"403.00","currency":"EUR"}'
EVENT = '{"id":"evt_1","type":"charge.refunded"}'
ENV = {
    "PATH": os.environ["PATH"],
    "CLICOLOR_FORCE": "1",
    "SHOPIFY_SECRET": "a-secret-of-the-shop",
    "STRIPE_SECRET": "whsec_a-secret-of-some-length",
}
# Background, text, and the colours by their number in an escape sequence.
THEMES = {
    "light": ("#ffffff", "#d0d7de", "#1f2328", {"2": "#656d76", "31": "#cf222e", "32": "#1a7f37", "33": "#9a6700"}),
    "dark": ("#0d1117", "#30363d", "#e6edf3", {"2": "#8d96a0", "31": "#ff7b72", "32": "#3fb950", "33": "#d29922"}),
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        (desk / "webhooks.toml").write_text(CONFIG)
        (desk / "order.json").write_text(ORDER)
        (desk / "event.json").write_text(EVENT)
        draw("listen", listen(desk), 15)
        draw("explain", explain(desk), 9)


def run(desk, *args):
    ended = subprocess.run([PROGRAM, *args], cwd=desk, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ended.stdout


def listen(desk):
    """What `listen` shows of four requests, of which a proxy has printed one again, and one is old."""
    args = [PROGRAM, "listen", "127.0.0.1:0", "--config", "webhooks.toml", "--save", "captures", "--now", NOW]
    program = subprocess.Popen(args, cwd=desk, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = next(found[1] for line in program.stderr if (found := re.search(r"listening on http://(\S+)", line)))

    def post(endpoint, provider, file, now=NOW, change=lambda body: body, headers=()):
        more = [part for header in headers for part in ("-H", header)]
        args = ["--secret-env", f"{provider.upper()}_SECRET", file, "--http", "--now", now]
        head, body = run(desk, "sign", provider, *args, *more).split("\n\n", 1)
        lines = [line.split(": ", 1) for line in head.splitlines()[1:]]
        client = http.client.HTTPConnection(address)
        client.request("POST", f"/webhooks/{endpoint}", change(body).encode(), dict(lines))
        client.getresponse().read()
        # An explanation follows the answer.
        time.sleep(2)

    post("orders", "shopify", "order.json", headers=["X-Shopify-Topic: orders/create"])
    post("payments", "stripe", "event.json")
    post("orders", "shopify", "order.json", change=lambda body: body.replace(",", ", ").replace('":', '": '))
    post("payments", "stripe", "event.json", now=str(int(NOW) - 90_000))
    program.send_signal(signal.SIGINT)
    shown, _ = program.communicate(timeout=60)
    command = "tower-webhook listen 127.0.0.1:4000 --config webhooks.toml --save captures"
    return [f"$ {command}", *(line for line in shown.splitlines() if not re.search(r"#\d\S* \S*(also|tried)", line))]


def explain(desk):
    (capture,) = [path for path in (desk / "captures").iterdir() if path.name == "0003.json"]
    args = ["explain", "--config", "webhooks.toml", "orders", f"captures/{capture.name}"]
    return [f"$ tower-webhook {' '.join(args)}", *run(desk, *args).splitlines()]


def draw(name, lines, indent):
    # How long it took differs each time.
    lines = [re.sub(r"in \d+ ms", "in 28 ms", line.rstrip("\n")) for line in lines]
    lines = [part for line in lines for part in wrapped(line, indent)]
    for theme, (background, border, text, colours) in THEMES.items():
        width, height = round(COLUMNS * LETTER + 32), len(lines) * LINE + 28
        rows = [row(line, 26 + number * LINE, colours) for number, line in enumerate(lines)]
        svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="The output of tower-webhook {name}">
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" fill="{background}" stroke="{border}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="{text}" xml:space="preserve">
{chr(10).join(rows)}
</g>
</svg>
"""
        (ROOT / f"docs/{name}-{theme}.svg").write_text(svg)


def pieces(line):
    """The parts of a line, with the numbers of their escape sequences."""
    codes = []
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if found := re.fullmatch(r"\x1b\[([\d;]*)m", part):
            codes = [] if found[1] in ("", "0") else codes + found[1].split(";")
        elif part:
            yield part, codes


def wrapped(line, indent):
    """Lines of at most COLUMNS letters, broken at blanks, with what follows indented."""
    words = [(word, codes) for part, codes in pieces(line) for word in re.findall(r"\s+|\S+", part)]
    rows, row, length = [], [], 0
    for word, codes in words:
        if length + len(word) > COLUMNS and word.strip():
            rows.append(row)
            row, length = [(" " * indent, [])], indent
        row.append((word, codes))
        length += len(word)
    return rows + [row]


def row(parts, y, colours):
    spans, column = [], 0
    for text, codes in parts:
        colour = next((colours[code] for code in codes if code in colours), None)
        style = f' fill="{colour}"' if colour else ""
        style += ' font-weight="600"' if "1" in codes else ""
        if text.strip():
            place = f'<tspan x="{16 + column * LETTER:.1f}"{style}>{escape(text)}</tspan>'
            spans.append(place)
        column += len(text)
    return f'<text y="{y}">{"".join(spans)}</text>'


main()
