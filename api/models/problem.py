"""The one shape of every error: application/problem+json (RFC 9457)."""

from pydantic import BaseModel, Field


class FieldProblem(BaseModel):
    """One field of a request that is wrong; the value itself is never echoed."""

    field: str = Field(examples=["body.reason"])
    problem: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """`type` is a stable name to act on; `detail` is fit for a person; `allowed` lists the steps a lifecycle has instead."""

    type: str = Field(examples=["urn:emberwatch:problem:illegal-transition"])
    title: str = Field(examples=["Illegal transition"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["alarm: 'shelve' is not allowed in state 'closed' (allowed: none)"])
    allowed: list[str] | None = None
    errors: list[FieldProblem] | None = None
