"""The registers as detectors see them: in memory, changed only by journal records, free of personal data."""

import logging
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from domain.changes import RegisterChange
from registers.device import Device, DeviceModel
from registers.local_time import LOCAL, local_day
from registers.machine import Machine
from registers.noun import Noun
from registers.nouns import NOUNS
from registers.permit import Permit
from registers.person import Certificate, Welder
from registers.place import Area, Enterprise, Site

__all__ = ["LOCAL", "RegisterView", "local_day"]

_LOG = logging.getLogger(__name__)
_HIDDEN = "-"
_T = TypeVar("_T", bound=Noun)


class RegisterView:
    """Entries by noun and key, with the look-ups detectors need. Private fields hold `-`.

    `last_id` is the newest change applied; older changes are ignored, so applying a stream twice changes nothing.
    """

    def __init__(self) -> None:
        self.last_id = 0
        self._rows: dict[str, dict[str, Noun]] = {noun: {} for noun in NOUNS}
        self._machine_by_chip: dict[str, str] = {}
        self._welder_by_credential: dict[str, str] = {}
        self._certificates: dict[str, set[str]] = defaultdict(set)
        self._permits: dict[str, set[str]] = defaultdict(set)

    def apply(self, changes: Iterable[RegisterChange]) -> list[RegisterChange]:
        """Apply changes in order; return those that were new."""
        applied = []
        for change in changes:
            if change.id <= self.last_id or change.noun not in NOUNS:
                continue
            self.last_id = change.id
            self._unindex(self._rows[change.noun].pop(change.key, None))
            if change.row is not None:
                self._put(change.noun, change.key, change.row)
            applied.append(change)
        return applied

    def _put(self, noun: str, key: str, row: dict[str, Any]) -> None:
        """Keep one entry; one that no longer makes sense to us (written by another version) is left out and logged."""
        try:
            entry = _entry(noun, row)
        except msgspec.ValidationError as error:
            _LOG.error("%s %s is left out of the registers detectors see: %s", noun, key, error)
            return
        self._rows[noun][sys.intern(key)] = entry
        self._index(entry)

    def _index(self, entry: Noun) -> None:
        match entry:
            case Machine():
                self._machine_by_chip[entry.chip] = entry.code
            case Welder():
                self._welder_by_credential[entry.credential] = entry.code
            case Certificate():
                self._certificates[entry.welder].add(entry.code)
            case Permit():
                self._permits[entry.site].add(entry.code)
            case _:
                pass

    def _unindex(self, entry: Noun | None) -> None:
        match entry:
            case Machine() if self._machine_by_chip.get(entry.chip) == entry.code:
                del self._machine_by_chip[entry.chip]
            case Welder() if self._welder_by_credential.get(entry.credential) == entry.code:
                del self._welder_by_credential[entry.credential]
            case Certificate():
                self._certificates[entry.welder].discard(entry.code)
            case Permit():
                self._permits[entry.site].discard(entry.code)
            case _:
                pass

    def _get(self, cls: type[_T], key: str | None) -> _T | None:
        return cast("_T | None", self._rows[cls.noun].get(key)) if key is not None else None

    def device(self, code: str) -> Device | None:
        return self._get(Device, code)

    def model(self, code: str) -> DeviceModel | None:
        return self._get(DeviceModel, code)

    def site(self, code: str) -> Site | None:
        return self._get(Site, code)

    def area(self, code: str) -> Area | None:
        return self._get(Area, code)

    def enterprise(self, code: str | None) -> Enterprise | None:
        return self._get(Enterprise, code)

    def machine(self, chip: str) -> Machine | None:
        return self._get(Machine, self._machine_by_chip.get(chip))

    def welder(self, credential: str) -> Welder | None:
        return self._get(Welder, self._welder_by_credential.get(credential))

    def certificates(self, welder: str) -> list[Certificate]:
        rows = (self._get(Certificate, code) for code in sorted(self._certificates.get(welder, ())))
        return [row for row in rows if row is not None]

    def permit(self, code: str) -> Permit | None:
        return self._get(Permit, code)

    def permits_at(self, site: str) -> list[Permit]:
        rows = (self._get(Permit, code) for code in sorted(self._permits.get(site, ())))
        return [row for row in rows if row is not None]

    def rows(self, cls: type[_T]) -> list[_T]:
        return [cast("_T", row) for _, row in sorted(self._rows[cls.noun].copy().items())]  # other threads look, too

    def snapshot(self) -> dict[str, Any]:
        """Return a JSON-able picture of everything."""
        rows = {noun: {key: row.projection() for key, row in sorted(by.items())} for noun, by in self._rows.items()}
        return {"last_id": self.last_id, "rows": rows}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the picture that `snapshot` gave."""
        self.__init__()  # type: ignore[misc]
        for noun, by in state["rows"].items():
            if noun not in NOUNS:
                continue
            for key, row in by.items():
                self._put(noun, key, row)
        self.last_id = state["last_id"]


def _entry(noun: str, row: dict[str, Any]) -> Noun:
    cls = NOUNS[noun]
    known = {name: _shared(value) for name, value in row.items() if name in cls.__struct_fields__}
    return msgspec.convert({**known, **_hidden(cls)}, cls)


def _shared(value: Any) -> Any:
    """Return a text that is one object wherever it is kept: thousands of rows name the same site and model."""
    return sys.intern(value) if type(value) is str else value


@cache  # reading a type's fields costs ten times as much as converting a row
def _hidden(cls: type[Noun]) -> dict[str, str]:
    return {
        field.name: _HIDDEN for field in msgspec.structs.fields(cls) if field.name in cls.private and field.required
    }
