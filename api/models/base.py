"""What every response shape has in common: frozen, strict about names, and built from a type of the field by attribute."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

EpochMs = Annotated[int, Field(description="epoch milliseconds, UTC", examples=[1763900000000])]
_YEAR_9999_MS = 253_402_300_799_000
_LARGEST_ID = 2**63 - 1
GivenMs = Annotated[EpochMs, Field(ge=0, le=_YEAR_9999_MS)]
"""A time somebody gives us; beyond the year 9999 no calendar writes it."""
GivenId = Annotated[int, Field(ge=0, le=_LARGEST_ID)]
"""An id, sequence or offset somebody names; no store knows one of more than 64 bits."""
DevicePathText = Annotated[str, Field(description="area/site/device", examples=["beidu/canteen-1/gas-001"])]
Reason = Annotated[str, Field(max_length=500, examples=["现场已核实，正在处置"])]


class View(BaseModel):
    """Base of every response."""

    model_config = ConfigDict(from_attributes=True, frozen=True, extra="forbid")

    @classmethod
    def of(cls, thing: Any) -> Self:
        """Return the view of an object that has attributes of these names."""
        return cls.model_validate(thing, from_attributes=True)


class Body(BaseModel):
    """Base of every request: unknown fields are refused rather than forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")
