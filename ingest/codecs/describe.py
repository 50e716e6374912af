"""The native convention as a JSON Schema, made from the codec's types, so that vendors can check their messages.

`python -m ingest.codecs.describe > ingest/schema/native.schema.json` writes the published file; a test holds the two equal.
"""

import json
import sys
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from ingest.codecs import native
from ingest.topics import Kind

_TYPES: dict[Kind, Any] = {
    Kind.TELEMETRY: native.Telemetry | native.Many,
    Kind.EVENT: reduce(or_, native.EVENT_STRUCTS),
    Kind.STATUS: native.Status,
    Kind.REPLY: native.Reply,
    Kind.RECEIPT: native.Receipt,
    Kind.COMMAND: native.Command,
}


def schema() -> dict[str, Any]:
    """Return the schema: one definition a kind of message (`#/$defs/telemetry` …) and the types they are made of."""
    schemas, types = msgspec.json.schema_components(list(_TYPES.values()), ref_template="#/$defs/{name}")
    kinds = {str(kind): one for kind, one in zip(_TYPES, schemas, strict=True)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "emberwatch native convention, version 1",
        "description": "Validate a payload against the definition named like the last level of its topic.",
        "anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds],
        "$defs": kinds | types,
    }


def render() -> str:
    """Return the schema as the published file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
