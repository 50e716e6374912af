"""The port behind which registers are kept."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.changes import RegisterChange
from registers.noun import Noun


class Violation(NamedTuple):
    """Why the store would refuse an entry: `position` in the sequence given, the column, and a reason free of personal data."""

    position: int
    column: str
    reason: str


class Registers(Protocol):
    """All registers in one store. Every write also appends a RegisterChange, in the same transaction.

    Methods raise EngineError when the engine fails; NotFoundError for an unknown key; InputError for an unknown noun.
    """

    def check(self, entries: Sequence[Noun]) -> list[Violation]:
        """Return every reference and unique field that `put` would refuse, seen together with the other entries."""
        ...

    def put(self, entries: Sequence[Noun], by: str) -> list[RegisterChange]:
        """Insert or replace all entries or none; return the changes (entries equal to what is stored make none).

        Raises InputError naming the entry when a reference (site, model, welder …) or a unique field (a machine's chip,
        a welder's credential, a certificate's number + category + item) is violated.
        """
        ...

    def withdraw(self, noun: str, key: str, by: str) -> RegisterChange:
        """Remove one entry from the register (the row stays, marked withdrawn).

        Raises RefusedError while other entries refer to it.
        """
        ...

    def get(self, noun: str, key: str) -> Noun:
        """Return one entry, private fields included: callers mask."""
        ...

    def find(self, noun: str, *, text: str = "", limit: int = 100, after: str = "") -> list[Noun]:
        """Return entries in key order after key `after`, whose key or name contains `text`."""
        ...

    def count(self, noun: str) -> int:
        """Return how many entries are in the register."""
        ...

    def changes(self, after: int, limit: int = 1000) -> list[RegisterChange]:
        """Return changes with id > `after` in id order."""
        ...
