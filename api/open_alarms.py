"""How many alarms stand open and how grave they are, by device and by site; recounted only when the feed has moved."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field

from domain.findings import Severity
from ledger.alarm import Alarm, AlarmBook, AlarmFilter
from ledger.books import Feed

_PAGE = 1000


@dataclass(slots=True)
class Tally:
    """Open alarms of one device or site: how many, how many of them whose cause still stands, and the gravest."""

    count: int = 0
    active: int = 0
    worst: Severity | None = None

    def add(self, alarm: Alarm) -> None:
        self.count += 1
        self.active += alarm.active
        self.worst = alarm.severity if self.worst is None else min(self.worst, alarm.severity)


@dataclass(frozen=True, slots=True)
class Tallies:
    """By device path, and by (area, site). Look up with `.get(key, NONE)`."""

    devices: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    sites: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))


NONE = Tally()


class OpenAlarms:
    """Counts open alarms. Every change of an alarm moves the feed in the same transaction, so the feed's end is its version."""

    def __init__(self, alarms: AlarmBook, feed: Feed) -> None:
        self._alarms = alarms
        self._feed = feed
        self._lock = threading.Lock()
        self._counted: tuple[int, Tallies] | None = None

    def tallies(self) -> Tallies:
        """Return the counts as of now; raise EngineError when the store fails."""
        with self._lock:
            version = self._feed.feed_end()
            if self._counted is None or self._counted[0] != version:
                self._counted = (version, self._count())
            return self._counted[1]

    def _count(self) -> Tallies:
        tallies = Tallies()
        for alarm in self._all():
            tallies.devices[alarm.device].add(alarm)
            tallies.sites[alarm.area, alarm.site].add(alarm)
        return tallies

    def _all(self) -> list[Alarm]:
        found: list[Alarm] = []
        page = self._alarms.alarms(AlarmFilter(limit=_PAGE))
        while page:
            found += page
            page = self._alarms.alarms(AlarmFilter(limit=_PAGE, before_id=page[-1].id))
        return found
