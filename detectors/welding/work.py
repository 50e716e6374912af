"""Hot work as the rules judge it: an arc as of its last arcing reading, and who was scanned in."""

from typing import NamedTuple

from detectors.welding.session import Session


class Work(NamedTuple):
    """An arc of the machine at `slot`: record and time (epoch ms; the device's when it came `late`), and the session."""

    slot: int
    offset: int
    at_ms: int
    late: bool
    session: Session | None

    @property
    def late_ms(self) -> int | None:
        """The device's time when that is what counts, else None."""
        return self.at_ms if self.late else None
