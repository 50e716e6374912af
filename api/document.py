"""What the OpenAPI document says beyond FastAPI's own: every error is one problem shape, the live stream's events are typed."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.models.problem import Problem
from api.models.system import StreamItem
from api.services import LiveStatus

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "what went wrong (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give our document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document of `app`."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document["components"]["schemas"]
    for model in (Problem, LiveStatus, StreamItem):
        schema = model.model_json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM
    return document
