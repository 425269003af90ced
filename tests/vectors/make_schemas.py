#!/usr/bin/env python3
"""Makes schemas/*.json: the fields that vendors' own specifications give the bodies of their webhooks.

    git clone https://github.com/onfido/onfido-openapi-spec    # SOURCE/onfido-openapi-spec, and so on
    git clone https://github.com/persona-id/persona-openapi
    git clone https://github.com/plaid/plaid-openapi
    pip download stripe==16.1.0 --no-deps                      # unpacked into SOURCE/stripe
    npm pack @complycube/api@1.1.13                            # unpacked into SOURCE/complycube
    tests/vectors/make_schemas.py SOURCE                       # needs PyYAML

`schemas/didit.json` is older, and was made in the same way from the specification of Didit's API.

Of a field there is its type, whether it may be null, and the values that the specification names. A place is a JSON
pointer; `0` in it is an item of a list. `base` is a body to which a field is added. `kinds` are the places that
select the type: with an unknown value there, an event is `Other`.
"""

import ast
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent / "schemas"


def pointer(place, name):
    return f"{place}/{name.replace('~', '~0').replace('/', '~1')}"


class OpenApi:
    """Fields of a schema in an OpenAPI document, with its references resolved."""

    def __init__(self, document, open_places=()):
        self.document = document
        self.open_places = open_places
        self.fields = {}

    def resolve(self, schema):
        """The schema with its reference and the parts of `allOf` merged."""
        merged = {}
        parts = [schema]
        if "$ref" in schema:
            target = self.document
            for step in schema["$ref"][2:].split("/"):
                target = target[step.replace("~1", "/")]
            parts = [self.resolve(target), {k: v for k, v in schema.items() if k != "$ref"}]
        for part in parts:
            for inner in part.get("allOf", []):
                self.merge(merged, self.resolve(inner))
            self.merge(merged, {k: v for k, v in part.items() if k != "allOf"})
        return merged

    @staticmethod
    def merge(into, part):
        for key, value in part.items():
            if key == "properties":
                for name, field in value.items():
                    known = into.setdefault("properties", {}).get(name)
                    into["properties"][name] = {"allOf": [known, field]} if known else field
            else:
                into[key] = value

    def walk(self, schema, place=""):
        schema = self.resolve(schema)
        kinds = schema.get("type", "object" if "properties" in schema else "any")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        kind = next(kind for kind in kinds if kind != "null")
        field = {"type": kind}
        if schema.get("nullable") or "null" in kinds:
            field["nullable"] = True
        values = schema.get("enum") or ([schema["const"]] if "const" in schema else named(schema))
        if values:
            field["enum"] = [value for value in values if value is not None]
        if place:
            self.fields[place] = field
        if place in self.open_places:
            return
        for name, inner in schema.get("properties", {}).items():
            self.walk(inner, pointer(place, name))
        if kind == "array" and "items" in schema:
            self.walk(schema["items"], place + "/0")


def named(schema):
    """Values that a description lists, as Persona's and Plaid's do."""
    text = schema.get("description", "")
    if "Possible values:" in text:
        return re.findall(r"^- (\w+)$", text, re.M)
    quoted = re.fullmatch(r"`([A-Z_]+)`", text)
    return [quoted.group(1)] if quoted else None


def union(documents, schemas, **options):
    """The fields of several bodies, with the values of all of them."""
    fields = {}
    for schema in schemas:
        api = OpenApi(documents, **options)
        api.walk(schema)
        for place, field in api.fields.items():
            known = fields.setdefault(place, field)
            for value in field.get("enum", []):
                if value not in known["enum"]:
                    known["enum"].append(value)
    return fields


def onfido(source):
    document = json.loads((source / "onfido-openapi-spec/generated/artifacts/openapi/openapi.json").read_text())
    return {
        "about": "From `webhook_event` of onfido/onfido-openapi-spec, commit 1498236a of 2026-07-24.",
        "base": {"payload": {"action": "workflow_run.completed", "object": {"id": "w-1"}}},
        "kinds": ["/payload/action"],
        "fields": union(document, [document["components"]["schemas"]["webhook_event"]]),
    }


def persona(source):
    document = json.loads((source / "persona-openapi/2025-12-08/openapi-bundled.json").read_text())
    webhooks = [hook["post"] for name, hook in document["webhooks"].items() if name.startswith("inquiry.")]
    payload = "/data/attributes/payload"
    return {
        "about": "From the webhooks `inquiry.*` of persona-id/persona-openapi, commit a1526b5e of 2026-08-21, "
        "version 2025-12-08. The names here are those with hyphens.",
        "base": {"data": {"type": "event", "attributes": {"name": "inquiry.created", "payload": {"data": {"id": "inq_1"}}}}},
        "kinds": ["/data/attributes/name"],
        "fixed": [f"{payload}/data/type"],
        "inflected": True,
        "fields": union(
            document,
            [hook["requestBody"]["content"]["application/json"]["schema"] for hook in webhooks],
            open_places=[f"{payload}/included"],
        ),
    }


def plaid(source):
    import yaml

    document = yaml.load((source / "plaid-openapi/2020-09-14.yml").read_text(), Loader=yaml.CSafeLoader)
    names = ["StatusUpdated", "StepUpdated", "Retried"]
    schemas = [document["components"]["schemas"][f"IdentityVerification{name}Webhook"] for name in names]
    return {
        "about": "From `IdentityVerification*Webhook` of plaid/plaid-openapi, commit 26f1a058 of 2026-06-10.",
        "base": {
            "webhook_type": "IDENTITY_VERIFICATION",
            "webhook_code": "STATUS_UPDATED",
            "identity_verification_id": "idv_1",
        },
        "kinds": ["/webhook_type"],
        "fields": union(document, schemas),
    }


class Python:
    """Fields of a class with annotations, as Stripe generates them from its specification."""

    SCALARS = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}

    def __init__(self, text):
        self.module = ast.parse(text)
        self.fields = {}

    def of(self, name):
        return next(node for node in ast.walk(self.module) if isinstance(node, ast.ClassDef) and node.name == name)

    def walk(self, name, place):
        for node in self.of(name).body:
            if isinstance(node, ast.AnnAssign) and node.target.id.islower():
                self.field(node.annotation, pointer(place, node.target.id))

    def field(self, annotation, place, nullable=False):
        outer = annotation.value.id if isinstance(annotation, ast.Subscript) else None
        if outer == "Optional":
            return self.field(annotation.slice, place, True)
        if outer == "Union":
            # The values that are known, or any text.
            annotation = annotation.slice.elts[0]
            outer = annotation.value.id if isinstance(annotation, ast.Subscript) else None
        field = {"type": "string"}
        if nullable:
            field["nullable"] = True
        self.fields[place] = field
        if outer == "Literal":
            values = annotation.slice
            values = values.elts if isinstance(values, ast.Tuple) else [values]
            field["enum"] = [value.value for value in values]
        elif outer in ("List", "list"):
            field["type"] = "array"
            self.field(annotation.slice, place + "/0")
        elif outer == "UntypedStripeObject":
            field["type"] = "object"
            if annotation.slice.id != "Any":
                self.field(annotation.slice, place + "/anything")
        elif isinstance(annotation, ast.Name) and annotation.id in self.SCALARS:
            field["type"] = self.SCALARS[annotation.id]
        elif isinstance(annotation, ast.Name):
            field["type"] = "object"
            self.walk(annotation.id, place)
        elif outer != "ExpandableField":
            sys.exit(f"{place}: {ast.dump(annotation)}")


def stripe(source):
    event = (source / "stripe/stripe/_event.py").read_text()
    # The object of these events, and what changed of it.
    event = event.replace("object: UntypedStripeObject[Any]", "object: VerificationSession")
    session = (source / "stripe/stripe/identity/_verification_session.py").read_text()
    code = Python(event + session)
    code.walk("Event", "")
    kinds = code.fields["/type"]["enum"]
    code.fields["/type"]["enum"] = [kind for kind in kinds if kind.startswith("identity.verification_session.")]
    return {
        "about": "From the types `Event` and `identity.VerificationSession` of Stripe's library for Python, 16.1.0.",
        "base": {
            "type": "identity.verification_session.created",
            "data": {"object": {"id": "vs_1", "status": "requires_input"}},
        },
        "kinds": ["/type"],
        "fixed": ["/data/object/object"],
        "fields": code.fields,
    }


def complycube(source):
    text = (source / "complycube/package/dist/EventVerifier.d.ts").read_text()
    body = text[text.index("export type Event = {") : text.index("export declare class")]
    fields, place = {}, []
    for name, optional, kind in re.findall(r"(\w+)(\??): (\w+|\{)|\}", body):
        if not name:
            place = place[:-1]
            continue
        field = {"type": "object" if kind == "{" else kind}
        fields["/" + "/".join(place + [name])] = field
        if kind == "{":
            place.append(name)
    return {
        "about": "From the type `Event` of ComplyCube's library for Node.js, @complycube/api 1.1.13.",
        "base": {"id": "e-1", "type": "workflow.session.completed", "payload": {"id": "s-1"}},
        "kinds": ["/type"],
        "fields": fields,
    }


def write(name, schema):
    fields = schema.pop("fields")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in schema.items()]
    places = [f"    {json.dumps(place)}: {json.dumps(field)}" for place, field in fields.items()]
    text = "\n".join(["{", *lines, '  "fields": {', ",\n".join(places), "  }", "}"])
    (HERE / f"{name}.json").write_text(text + "\n")


for vendor in (complycube, onfido, persona, plaid, stripe):
    write(vendor.__name__, vendor(Path(sys.argv[1])))
