"""What is kept in memory equals what a fresh look at the stores would give."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from api.directory import Directory
from api.open_alarms import OpenAlarms
from api.site_states import site_states
from domain.changes import RegisterChange
from domain.findings import Severity
from ledger.alarm import Alarm, AlarmBook, AlarmFilter, AlarmState

if TYPE_CHECKING:
    from ledger.books import Feed
    from registers.store import Registers

SITES, DEVICES = ("s-1", "s-2", "s-3"), ("d-1", "d-2", "d-3", "d-4")


class ChangeList:
    """A store of registers that only remembers its changes."""

    def __init__(self) -> None:
        self.rows: list[RegisterChange] = []

    def add(self, noun: str, key: str, row: dict[str, Any] | None) -> None:
        self.rows.append(RegisterChange(len(self.rows) + 1, noun, key, row))

    def changes(self, after: int, limit: int = 1000) -> list[RegisterChange]:
        return self.rows[after : after + limit]


class AlarmList:
    """Alarms and a feed that moves with each."""

    def __init__(self) -> None:
        self.rows: list[Alarm] = []
        self.asked = 0

    def open(self, site: str, device: str, severity: Severity) -> None:
        number = len(self.rows) + 1
        alarm = Alarm(
            id=number,
            rule="G102",
            device=f"a/{site}/{device}",
            area="a",
            site=site,
            severity=severity,
            state=AlarmState.ACTIVE_UNACKED,
            active=True,
            acknowledged=False,
            raised_at_ms=0,
            event_ms=0,
            changed_at_ms=0,
        )
        self.rows.append(alarm)

    def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        self.asked += 1
        newest = [a for a in reversed(self.rows) if wanted.before_id is None or a.id < wanted.before_id]
        return newest[: wanted.limit]

    def feed_end(self) -> int:
        return len(self.rows)


def _open_alarms(books: AlarmList) -> OpenAlarms:
    return OpenAlarms(cast("AlarmBook", books), cast("Feed", books))


_changes = st.lists(
    st.one_of(
        st.tuples(st.just("site"), st.sampled_from(SITES), st.sampled_from(["a", "b", None])),
        st.tuples(st.just("device"), st.sampled_from(DEVICES), st.sampled_from([*SITES, None])),
    ),
    max_size=30,
)


def _row(noun: str, key: str, at: str | None) -> dict[str, Any] | None:
    if at is None:
        return None
    return {"code": key, "name": key, "area": at} if noun == "site" else {"code": key, "site": at, "model": "m"}


@given(_changes, st.sets(st.integers(0, 29)))
def test_directory_read_between_changes_equals_a_fresh_one(
    changes: Sequence[tuple[str, str, str | None]], looks: set[int]
) -> None:
    """Whenever one looks, the map is the same as after reading everything anew; devices are counted once each."""
    store = ChangeList()
    kept = Directory(cast("Registers", store))
    for number, (noun, key, at) in enumerate(changes):
        store.add(noun, key, _row(noun, key, at))
        if number not in looks:
            continue
        fresh = Directory(cast("Registers", store))
        tallies = _open_alarms(AlarmList()).tallies()
        with kept.reading() as view, fresh.reading() as new:
            states = site_states(view, {}, tallies)
            assert states == site_states(new, {}, tallies)
        assert sum(state.devices for state in states) <= len(DEVICES)


@given(st.lists(st.tuples(st.sampled_from(SITES), st.sampled_from(DEVICES), st.sampled_from(Severity)), max_size=40))
def test_tallies_equal_a_plain_count(opened: list[tuple[str, str, Severity]]) -> None:
    """After each alarm the counts and the gravest severity are those of the list."""
    books = AlarmList()
    watched = _open_alarms(books)
    for site, device, severity in opened:
        books.open(site, device, severity)
        tallies = watched.tallies()
        counts = Counter((alarm.area, alarm.site) for alarm in books.rows)
        assert {place: tally.count for place, tally in tallies.sites.items()} == counts
        worst = min(alarm.severity for alarm in books.rows if alarm.device == f"a/{site}/{device}")
        assert tallies.devices[f"a/{site}/{device}"].worst == worst


def test_all_pages_of_a_storm_are_counted() -> None:
    """More open alarms than one page holds are all counted."""
    books = AlarmList()
    for _ in range(2500):
        books.open("s-1", "d-1", Severity.HIGH)
    assert _open_alarms(books).tallies().sites["a", "s-1"].count == 2500


def test_books_are_asked_again_only_when_the_feed_moved() -> None:
    """A hundred screens that ask at once cost one count."""
    books = AlarmList()
    watched = _open_alarms(books)
    books.open("s-1", "d-1", Severity.HIGH)
    watched.tallies()
    asked = books.asked
    for _ in range(100):
        watched.tallies()
    assert books.asked == asked
