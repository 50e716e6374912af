"""The OpenAPI document and the reference page in the repository are those of this version."""

import json
from pathlib import Path

from api.describe import describe
from api.openapi import text

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "screens" / "openapi.json"


def test_kept_document_is_up_to_date() -> None:
    """`python -m api.openapi > screens/openapi.json` would change nothing."""
    assert KEPT.read_text(encoding="utf-8") == text(), "run: python -m api.openapi > screens/openapi.json"


def test_reference_page_is_up_to_date() -> None:
    """A changed route without a changed page fails; `python -m api.describe > docs/reference/api.md` mends it."""
    assert (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8") == describe()


def test_operation_ids_are_unique_and_every_operation_is_described() -> None:
    """Generated clients name their functions by operation id; people read the summaries."""
    operations = [op for path in json.loads(text())["paths"].values() for op in path.values()]
    ids = [op["operationId"] for op in operations]
    assert len(ids) == len(set(ids))
    assert all(op["summary"] and op["description"] for op in operations)


def test_every_operation_promises_problem_documents() -> None:
    """Whatever goes wrong, the answer has one shape."""
    document = json.loads(text())
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]
