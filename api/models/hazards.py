"""The hazard ledger as the API shows it."""

from typing import Annotated, Any

from pydantic import Field

from api.models.base import Body, DevicePathText, EpochMs, GivenMs, View
from domain.findings import Severity
from ledger.hazard import Channel, Grade, HazardState, HazardStep

Words = Annotated[str, Field(min_length=1, max_length=500)]


class HazardView(View):
    """One entry of the ledger."""

    id: str = Field(examples=["ZH-2026-000123"])
    state: HazardState
    grade: Grade
    channel: Channel
    title: str = Field(examples=["可燃气体二级报警"])
    description: str
    basis: str = Field(examples=["GB/T 50493-2019"])
    area: str
    site: str
    device: DevicePathText | None
    rule: str | None
    severity: Severity | None
    opened_at_ms: EpochMs
    changed_at_ms: EpochMs
    due_ms: EpochMs | None
    assignee: str | None
    alarms: tuple[int, ...]
    reopened: int


class HazardEventView(View):
    """One row of the chain; `hash` covers the row and `previous`."""

    sequence: int
    hazard: str
    at_ms: EpochMs
    event: str = Field(examples=["verify"])
    before: HazardState | None
    after: HazardState
    by: str
    basis: str
    note: str
    data: dict[str, Any]
    previous: str
    hash: str


class HazardPage(View):
    """Newest first; give `next_after` as `after` for the next page (null: this was the last)."""

    items: list[HazardView]
    next_after: str | None


class HazardDetail(View):
    """One hazard with its whole chain, and the steps its lifecycle allows now."""

    hazard: HazardView
    events: list[HazardEventView]
    allowed: list[HazardStep]


class OpenHazard(Body):
    """A hazard entered by hand (巡查、举报、企业自查)."""

    grade: Grade = Grade.GENERAL
    channel: Channel = Channel.INSPECTION
    title: Words = Field(examples=["后厨燃气软管老化"])
    description: Annotated[str, Field(max_length=4000)] = ""
    basis: Words = Field(examples=["城镇燃气管理条例"])
    area: Words
    site: Words
    device: DevicePathText | None = None
    severity: Severity | None = None
    due_ms: GivenMs | None = None


class TakeStep(Body):
    """One step of the lifecycle. `grade` goes with `register`, `assignee` and `due_ms` with `assign`."""

    event: HazardStep
    basis: Words = Field(examples=["现场核实记录"])
    note: Annotated[str, Field(max_length=4000)] = ""
    grade: Grade | None = None
    assignee: Annotated[str, Field(max_length=64)] | None = None
    due_ms: GivenMs | None = None
