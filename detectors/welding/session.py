"""Who is scanned in on which machine, and where the scan was: `scan.in` opens a session, `scan.out` or `power.off` ends it."""

import re
from typing import Any, NamedTuple

from domain.geo import Place
from domain.readings import Quality, Signal

HIDDEN = "hidden"
"""Stands for a code that is malformed, or that must not be shown."""

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PERSONAL = re.compile(r"\d{11}")
_KEPT = 2
"""Sessions remembered a machine: the newest, and the one before it for telemetry that arrives late."""


def shown(code: str | None) -> str | None:
    """Return a code that no register knows, as evidence may show it.

    A run of 11 digits may be a telephone, a resident ID or a certificate number (T + resident ID): it stays hidden.
    """
    return HIDDEN if code is not None and _PERSONAL.search(code) else code


class Session(NamedTuple):
    """One welder at one machine, from one record to another and by the device's clock; `until_` None: still there."""

    credential: str
    permit: str | None
    since_offset: int
    since_ms: int
    until_offset: int | None = None
    until_ms: int | None = None
    lat: float | None = None
    lon: float | None = None

    @property
    def place(self) -> Place | None:
        """Where the scan was, if it said so."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)

    def covers(self, offset: int, late_ms: int | None) -> bool:
        """Tell whether what was said at a record falls into the session; what came late goes by the device's time."""
        if late_ms is not None:
            return self.since_ms <= late_ms and (self.until_ms is None or late_ms < self.until_ms)
        return self.since_offset <= offset and (self.until_offset is None or offset < self.until_offset)


class Sessions:
    """Sessions by machine slot; at most two a slot, so memory is bounded."""

    def __init__(self) -> None:
        self._of: dict[int, list[Session]] = {}

    def at(self, slot: int, offset: int, late_ms: int | None = None) -> Session | None:
        """Return the session in which the machine said something at a record, the newest if several cover it."""
        return next((s for s in reversed(self._of.get(slot, [])) if s.covers(offset, late_ms)), None)

    def newest(self, slot: int) -> Session | None:
        """Return the last session of the machine, open or not."""
        kept = self._of.get(slot)
        return kept[-1] if kept else None

    def slots(self) -> list[int]:
        """Return the machines at which somebody ever scanned."""
        return list(self._of)

    def scan_in(self, signal: Signal) -> None:
        """Open a session; whoever was there before has left: one machine, one welder."""
        if self._is_overtaken(signal):
            return
        self.end(signal)
        permit = signal.data.get("permit")
        session = Session(
            credential=code_of(signal.data.get("credential")),
            permit=None if permit is None else code_of(permit),
            since_offset=signal.offset,
            since_ms=signal.event_ms,
            lat=signal.data.get("lat"),
            lon=signal.data.get("lon"),
        )
        self._of[signal.slot] = [*self._of.get(signal.slot, []), session][-_KEPT:]

    def scan_out(self, signal: Signal) -> None:
        """End the open session, unless it is somebody else's who scans out."""
        kept = self._of.get(signal.slot, [])
        credential = signal.data.get("credential")
        if kept and (credential is None or code_of(credential) == kept[-1].credential):
            self.end(signal)

    def end(self, signal: Signal) -> None:
        """End the open session of the machine, if there is one."""
        kept = self._of.get(signal.slot, [])
        if kept and kept[-1].until_offset is None and not self._is_overtaken(signal):
            kept[-1] = kept[-1]._replace(until_offset=signal.offset, until_ms=signal.event_ms)

    def _is_overtaken(self, signal: Signal) -> bool:
        """Tell whether the signal was delayed and is older than the newest session: it cannot end or replace that."""
        kept = self._of.get(signal.slot)
        return bool(kept and signal.quality & Quality.LATE and signal.event_ms < kept[-1].since_ms)

    def snapshot(self) -> list[list[Any]]:
        return [[slot, *session] for slot, kept in self._of.items() for session in kept]

    def restore(self, rows: list[list[Any]]) -> None:
        self._of = {}
        for slot, *session in rows:
            self._of.setdefault(slot, []).append(Session(*session))


def code_of(value: object) -> str:
    """Return the code as the registers write codes, or HIDDEN when it is none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else HIDDEN
