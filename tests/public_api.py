"""Compares the public interface with tests/public-api.txt, and the crates of its types with a list.

It reads what rustdoc of the nightly toolchain says as JSON. `--record` writes the file anew: what changes in it is what
users of the crate see change.
"""

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of rustdoc's JSON. Later ones are tried, too.
FORMAT = 57
RECORD = ROOT / "tests/public-api.txt"
# A new major version of any of these is one of ours. No crate for cryptography, parsing or time is among them.
ALLOWED = {
    "std", "core", "alloc", "http", "http_body", "bytes", "serde", "serde_core", "serde_json",
    "tower_layer", "tower_service", "axum", "axum_core", "actix_http", "actix_service", "actix_web", "redis",
    # `Stream`, as which actix-web takes a body.
    "futures_core",
}  # fmt: skip


def main():
    crate = rustdoc()
    try:
        document = Document(crate)
        lines = list(document.lines())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        version = crate["format_version"]
        problem = f"rustdoc's JSON has format {version}, this script was written for {FORMAT}: {error!r}"
        raise SystemExit(problem) from error
    problems = [f"{line}: crate {crate} is not on the list" for crate, line in document.foreign]
    problems += [f"{' and '.join(sorted(paths))}: two paths to one item" for paths in document.twice()]
    problems += [f"{path}: the type is in the interface and has no public path" for path in sorted(document.unnamed)]
    text = "\n".join(lines) + "\n"
    if "--record" in sys.argv:
        RECORD.write_text(text)
    before = RECORD.read_text() if RECORD.exists() else ""
    diff = difflib.unified_diff(before.splitlines(), lines, "tests/public-api.txt", "now", n=0, lineterm="")
    changes = [line for line in diff if not line.startswith(("---", "+++", "@@"))]
    if changes:
        problems += changes + ["the interface has changed; if that is meant, run: just surface --record"]
    print("\n".join(problems) or f"{len(lines)} lines of interface, as recorded")
    sys.exit(bool(problems))


def rustdoc():
    command = ["cargo", "+nightly", "rustdoc", "--locked", "--quiet", "--lib", "--all-features"]
    flags = ["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"]
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run(command + flags, cwd=ROOT, check=True)
    return json.loads((target / "doc/tower_webhook.json").read_text())


class Document:
    def __init__(self, crate):
        self.index, self.paths, self.crates = crate["index"], crate["paths"], crate["external_crates"]
        self.root = crate["root"]
        self.foreign, self.unnamed, self.named = [], set(), set()
        # The public paths of each item, without the name of the crate.
        self.public = {}
        self.walk(self.root, "crate")

    def item(self, id):
        return self.index.get(str(id))

    def twice(self):
        return [paths for paths in self.public.values() if len(paths) > 1]

    def walk(self, id, path):
        item = self.item(id)
        path = path.removeprefix("crate::")
        if item is None or id in self.public:
            self.public.setdefault(id, []).append(path)
            return
        self.public[id] = [path]
        if "module" in item["inner"]:
            self.walk_into(item["inner"]["module"]["items"], path)

    def walk_into(self, children, path):
        for child in map(self.item, children):
            inner = child["inner"]
            if child["visibility"] != "public":
                continue
            if "use" in inner and inner["use"]["is_glob"]:
                self.walk_into(self.item(inner["use"]["id"])["inner"]["module"]["items"], path)
            elif "use" in inner:
                self.walk(inner["use"]["id"], f"{path}::{inner['use']['name']}")
            else:
                self.walk(child["id"], f"{path}::{child['name']}")

    def lines(self):
        for path, id in sorted((paths[0], id) for id, paths in self.public.items()):
            item = self.item(id)
            if item is None:
                yield self.checked(lambda: f"use {path} = {self.name_of({'id': id, 'path': path})}")
                continue
            ((kind, inner),) = item["inner"].items()
            render = getattr(self, f"of_{kind}", None)
            if render is None:
                raise SystemExit(f"{path}: public_api.py does not know the item {kind}")
            first, *rest = [self.checked(line) for line in render(path, item, inner)]
            yield first
            # What a type implements without any generics is one line.
            plain = f" for {path}"
            traits = [line.removeprefix("impl ").removesuffix(plain) for line in rest if self.is_plain(line, plain)]
            if traits:
                yield f"    {path}: {' + '.join(sorted(traits))}"
            yield from (f"    {line}" for line in sorted(rest) if not self.is_plain(line, plain))

    def is_plain(self, line, plain):
        return line.startswith("impl ") and line.endswith(plain)

    def checked(self, line):
        """Renders a line, and notes the crates that it names."""
        self.named = set()
        text = line() if callable(line) else line
        self.foreign += [(crate, text) for crate in sorted(self.named - ALLOWED)]
        return text

    # Items. Each gives lines, or functions that render one, so that its crates are known.

    def of_module(self, path, item, inner):
        yield f"mod {path}"

    def of_use(self, path, item, inner):
        yield lambda: f"use {path} = {self.name_of(inner)}"

    def of_function(self, path, item, inner):
        yield lambda: self.signature(path, inner)

    def of_type_alias(self, path, item, inner):
        yield lambda: self.headed("type", path, inner["generics"], f" = {self.type(inner['type'])}")

    def of_constant(self, path, item, inner):
        yield lambda: f"const {path}: {self.type(inner['type'])}"

    def of_macro(self, path, item, inner):
        yield f"macro {path}!"

    def of_struct(self, path, item, inner):
        yield lambda: self.headed(self.attributes(item) + "struct", path, inner["generics"])
        (shape,) = inner["kind"] if isinstance(inner["kind"], dict) else ("unit",)
        fields = inner["kind"].get("plain", {}).get("fields", []) if shape == "plain" else []
        fields = inner["kind"]["tuple"] if shape == "tuple" else fields
        yield from self.fields(path, fields)
        yield from self.impls(path, inner["impls"])

    def of_enum(self, path, item, inner):
        yield lambda: self.headed(self.attributes(item) + "enum", path, inner["generics"])
        for id in inner["variants"]:
            variant = self.item(id)
            name = f"{path}::{variant['name']}"
            yield f"{self.attributes(variant)}variant {name}"
            kind = variant["inner"]["variant"]["kind"]
            if isinstance(kind, dict):
                yield from self.fields(name, kind.get("tuple") or kind["struct"]["fields"])
        yield from self.impls(path, inner["impls"])

    def of_trait(self, path, item, inner):
        yield lambda: self.headed("trait", path, inner["generics"], self.after(": ", self.bounds(inner["bounds"])))
        for id in inner["items"]:
            yield from self.member(path, id, provided=True)
        for id in inner["implementations"]:
            block = self.item(id)["inner"]["impl"]
            # Those of types of ours are with the type.
            resolved = block["for"].get("resolved_path")
            if block["blanket_impl"] is None and (resolved is None or resolved["id"] not in self.public):
                yield from self.impl(path, block)

    def fields(self, path, ids):
        for id in filter(None, ids):
            field = self.item(id)
            if field["visibility"] in ("public", "default"):
                yield lambda field=field: f"field {path}::{field['name']}: {self.type(field['inner']['struct_field'])}"

    def impls(self, path, ids):
        for id in ids:
            block = self.item(id)
            if block is not None:
                block = block["inner"]["impl"]
                if not block["is_synthetic"] and block["blanket_impl"] is None:
                    yield from self.impl(path, block)

    def impl(self, path, block):
        generics = block["generics"]
        if block["trait"] is not None:
            if self.is_internal(block["trait"]):
                return
            what = lambda: f"{self.path(block['trait'])} for {self.type(block['for'])}"
            yield lambda: f"impl{self.generics(generics)} {what()}{self.where(generics)}"
            members = [id for id in block["items"] if "assoc_type" in self.item(id)["inner"]]
            path = f"<{self.type(block['for'])} as {self.path(block['trait'])}>"
        else:
            members = [id for id in block["items"] if self.item(id)["visibility"] == "public"]
            path = self.type(block["for"])
        for id in members:
            yield from self.member(path, id)

    def is_internal(self, trait):
        """What a derive or the compiler adds for itself."""
        return trait["path"].split("::")[-1] in ("StructuralPartialEq", "Freeze", "Unpin")

    def member(self, path, id, provided=False):
        item = self.item(id)
        name = f"{path}::{item['name']}"
        ((kind, inner),) = item["inner"].items()
        if kind == "function":
            default = " (provided)" if provided and inner["has_body"] else ""
            yield lambda: self.signature(name, inner) + default
        elif kind == "assoc_type":
            bounds = lambda: self.after(": ", self.bounds(inner["bounds"]))
            yield lambda: f"type {name}" + bounds() + self.after(" = ", inner["type"] and self.type(inner["type"]))
        elif kind == "assoc_const":
            yield lambda: f"const {name}: {self.type(inner['type'])}"
        else:
            raise SystemExit(f"{name}: public_api.py does not know the member {kind}")

    def attributes(self, item):
        attributes = str(item["attrs"])
        hidden = "#[non_exhaustive] " if "non_exhaustive" in attributes else ""
        return hidden + ("#[must_use] " if "must_use" in attributes else "")

    def headed(self, word, path, generics, more=""):
        return f"{word} {path}{self.generics(generics)}{more}{self.where(generics)}"

    # Types.

    def signature(self, path, inner):
        signature, header = inner["sig"], inner["header"]
        inputs = ", ".join(self.argument(name, type) for name, type in signature["inputs"])
        output = self.after(" -> ", signature["output"] and self.type(signature["output"]))
        words = "".join(f"{word} " for word in ("const", "unsafe", "async") if header[f"is_{word}"])
        generics = inner["generics"]
        return f"{words}fn {path}{self.generics(generics)}({inputs}){output}{self.where(generics)}"

    def argument(self, name, type):
        if name == "self":
            short = {"Self": "self", "&Self": "&self", "&mut Self": "&mut self"}
            return short.get(self.type(type), f"self: {self.type(type)}")
        return f"{name}: {self.type(type)}"

    def generics(self, generics):
        shown = []
        for parameter in generics["params"]:
            ((kind, inner),) = parameter["kind"].items()
            if kind == "type" and not inner["is_synthetic"]:
                default = self.after(" = ", inner["default"] and self.type(inner["default"]))
                shown.append(parameter["name"] + self.after(": ", self.bounds(inner["bounds"])) + default)
            elif kind == "lifetime":
                shown.append(parameter["name"])
            elif kind == "const":
                shown.append(f"const {parameter['name']}: {self.type(inner['type'])}")
        return f"<{', '.join(shown)}>" if shown else ""

    def where(self, generics):
        shown = []
        for predicate in generics["where_predicates"]:
            ((kind, inner),) = predicate.items()
            if kind == "bound_predicate":
                shown.append(f"{self.type(inner['type'])}: {self.bounds(inner['bounds'])}")
            elif kind == "lifetime_predicate":
                shown.append(f"{inner['lifetime']}: {' + '.join(inner['outlives'])}")
            else:
                shown.append(f"{self.type(inner['lhs'])} == {self.term(inner['rhs'])}")
        return f" where {', '.join(shown)}" if shown else ""

    def bounds(self, bounds):
        shown = []
        for bound in bounds:
            ((kind, inner),) = bound.items()
            if kind == "trait_bound":
                question = "?" if inner["modifier"] == "maybe" else ""
                shown.append(question + self.binder(inner["generic_params"]) + self.path(inner["trait"]))
            elif kind == "outlives":
                shown.append(inner)
            else:
                shown.append(f"use<{', '.join(str(list(argument.values())[0]) for argument in inner)}>")
        return " + ".join(shown)

    def binder(self, parameters):
        return f"for<{', '.join(parameter['name'] for parameter in parameters)}> " if parameters else ""

    def after(self, sign, text):
        return f"{sign}{text}" if text else ""

    def name_of(self, path):
        """Our own items by their public path; others with their crate, which is noted."""
        id = path["id"]
        if id in self.public:
            return self.public[id][0]
        known = self.paths.get(str(id))
        if known is None or not known["crate_id"]:
            self.unnamed.add(path.get("path") or path["name"])
            return path.get("path") or path["name"]
        crate = self.crates[str(known["crate_id"])]["name"]
        self.named.add(crate)
        # Prelude names are read faster without their paths.
        return known["path"][-1] if crate in ("std", "core", "alloc") else f"{crate}::{known['path'][-1]}"

    def path(self, path):
        return self.name_of(path) + self.arguments(path.get("args"))

    def arguments(self, arguments):
        if not arguments:
            return ""
        ((kind, inner),) = arguments.items() if isinstance(arguments, dict) else (("none", None),)
        if kind == "parenthesized":
            inputs = ", ".join(self.type(type) for type in inner["inputs"])
            return f"({inputs}){self.after(' -> ', inner['output'] and self.type(inner['output']))}"
        if kind != "angle_bracketed":
            return f"({kind})"
        shown = [self.generic_argument(argument) for argument in inner["args"]]
        for constraint in inner["constraints"]:
            ((kind, value),) = constraint["binding"].items()
            value = f" = {self.term(value)}" if kind == "equality" else f": {self.bounds(value)}"
            shown.append(f"{constraint['name']}{self.arguments(constraint['args'])}{value}")
        return f"<{', '.join(shown)}>" if shown else ""

    def generic_argument(self, argument):
        if argument == "infer":
            return "_"
        ((kind, inner),) = argument.items()
        return {"lifetime": lambda: inner, "type": lambda: self.type(inner), "const": lambda: inner["expr"]}[kind]()

    def term(self, term):
        ((kind, inner),) = term.items()
        return self.type(inner) if kind == "type" else inner["expr"]

    def type(self, type):
        if type == "infer":
            return "_"
        ((kind, inner),) = type.items()
        if kind in ("generic", "primitive"):
            return inner
        if kind == "resolved_path":
            return self.path(inner)
        if kind == "borrowed_ref":
            lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
            return f"&{lifetime}{'mut ' if inner['is_mutable'] else ''}{self.type(inner['type'])}"
        if kind == "tuple":
            return f"({', '.join(map(self.type, inner))})"
        if kind == "slice":
            return f"[{self.type(inner)}]"
        if kind == "array":
            return f"[{self.type(inner['type'])}; {inner['len']}]"
        if kind == "impl_trait":
            return f"impl {self.bounds(inner)}"
        if kind == "dyn_trait":
            traits = [self.binder(part["generic_params"]) + self.path(part["trait"]) for part in inner["traits"]]
            return "dyn " + " + ".join(traits + ([inner["lifetime"]] if inner["lifetime"] else []))
        if kind == "function_pointer":
            inputs = ", ".join(self.type(type) for _, type in inner["sig"]["inputs"])
            output = self.after(" -> ", inner["sig"]["output"] and self.type(inner["sig"]["output"]))
            return f"{self.binder(inner['generic_params'])}fn({inputs}){output}"
        if kind == "qualified_path":
            trait = inner["trait"] and (inner["trait"]["path"] or inner["trait"]["id"]) and self.path(inner["trait"])
            base = self.type(inner["self_type"])
            return (f"<{base} as {trait}>" if trait else base) + f"::{inner['name']}" + self.arguments(inner["args"])
        if kind == "raw_pointer":
            return f"*{'mut' if inner['is_mutable'] else 'const'} {self.type(inner['type'])}"
        raise SystemExit(f"public_api.py does not know the type {kind}")


main()
