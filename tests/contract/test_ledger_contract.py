"""What the pipeline, operators and inspectors may rely on, whichever SQL engine keeps the ledger."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import EngineError, IllegalTransitionError, NotFoundError, RefusedError
from domain.findings import Action, Finding, Severity
from ledger.alarm import AlarmEvent, AlarmFilter, AlarmState
from ledger.books import Committed, Counts, DeadLetter, Decided, Sent
from ledger.hazard import Channel, Grade, HazardDraft, HazardFilter, HazardState
from ledger.policy import RulePolicy
from storage.sql.engine import open_engine, writing
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade

NOON = 1_772_337_600_000
"""2026-03-01 12:00 in China."""
HOUR = 3_600_000
_POLICIES = {
    "G101": RulePolicy("G101", "可燃气体高报", Grade.GENERAL, "GB/T 50493-2019", shelvable=False),
    "D101": RulePolicy("D101", "设备离线", None, "安全生产法 36"),
}


def _found(device: int = 1, action: Action = Action.RAISE, offset: int = 0, rule: str = "D101", **more: Any) -> Finding:
    found = Finding(
        offset=offset,
        rule=rule,
        device=f"weidong/site-{device % 2}/d{device}",
        action=action,
        severity=Severity.HIGH,
        at_ms=NOON + offset,
        event_ms=NOON + offset,
        evidence={"silent_s": 150, "text": "静默"},
    )
    return msgspec.structs.replace(found, **more)


def _letter(offset: int, reason: str = "json") -> DeadLetter:
    return DeadLetter(
        offset=offset, received_ms=NOON, topic="safety/v1/a/b/c/event", payload=b"\x00\xff{", reason=reason
    )


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file that was migrated once and is copied by each test."""
    path = tmp_path_factory.mktemp("migrated") / "emberwatch.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(migrated: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: sa.Engine) -> SqlLedger:
    return SqlLedger(engine, _POLICIES)


@pytest.fixture
def commit(ledger: SqlLedger) -> Callable[..., list[Any]]:
    """Return a hand that commits findings, each at the next offset."""
    offsets = itertools.count()

    def hand(*findings: Finding) -> list[Any]:
        placed = [msgspec.structs.replace(f, offset=n, at_ms=NOON + n) for f, n in zip(findings, offsets, strict=False)]
        return ledger.books.commit(Decided(placed[-1].offset + 1, NOON, placed))

    return hand


def _draft(title: str = "疏散通道堵塞", **fields: Any) -> HazardDraft:
    return HazardDraft(
        grade=Grade.GENERAL,
        channel=Channel.PUBLIC,
        title=title,
        description="举报",
        basis="消防法 28",
        area=fields.pop("area", "weidong"),
        site="market",
        **fields,
    )


class TestCommit:
    def test_new_books_are_at_the_beginning(self, ledger: SqlLedger) -> None:
        """Before the first commit: offset 0, no counts, nothing to see."""
        assert ledger.books.committed() == Committed(0, Counts())
        assert ledger.feed.feed_end() == 0

    def test_offset_and_counts_move_together(self, ledger: SqlLedger) -> None:
        """Commits with and without findings add their counts and move the offset."""
        ledger.books.commit(Decided(10, NOON, counts=Counts(decoded=9, dead=1)))
        ledger.books.commit(Decided(12, NOON, [_found(offset=11)], counts=Counts(decoded=1, control=1)))
        ledger.books.commit(Decided(15, NOON, counts=Counts(duplicate=3)))
        assert ledger.books.committed() == Committed(15, Counts(decoded=10, dead=1, duplicate=3, control=1))

    def test_committing_twice_changes_nothing(self, ledger: SqlLedger) -> None:
        """The same decision again gives no feed item, alarm, letter or count."""
        decided = Decided(3, NOON, [_found(offset=1, rule="G101")], [_letter(2)], Counts(decoded=2, dead=1))
        assert len(ledger.books.commit(decided)) == 2
        before = (ledger.books.committed(), ledger.feed.feed_end(), ledger.outbox.outbox_counts())
        assert ledger.books.commit(decided) == []
        assert (ledger.books.committed(), ledger.feed.feed_end(), ledger.outbox.outbox_counts()) == before

    def test_only_what_is_past_the_committed_offset_is_new(self, ledger: SqlLedger) -> None:
        """A decision that overlaps the committed offset writes its new part only."""
        ledger.books.commit(Decided(5, NOON, [_found(1, offset=4)], [_letter(3)]))
        items = ledger.books.commit(
            Decided(8, NOON, [_found(1, offset=4), _found(2, offset=6)], [_letter(3), _letter(7)])
        )
        assert [item.body["device"] for item in items] == ["weidong/site-0/d2"]
        assert [letter.offset for letter in ledger.dead_letters.dead_letters()] == [7, 3]

    def test_failing_commit_writes_nothing(self, ledger: SqlLedger) -> None:
        """When one row cannot be written, no row is, and the offset stays."""
        broken = _found(2, offset=1, evidence={"x": float})
        with pytest.raises((EngineError, TypeError)):
            ledger.books.commit(Decided(2, NOON, [_found(1, offset=0, rule="G101"), broken], [_letter(1)]))
        assert ledger.books.committed() == Committed(0, Counts())
        assert ledger.alarms.alarms(AlarmFilter()) == []
        assert ledger.hazards.hazards(HazardFilter()) == []
        assert ledger.dead_letters.dead_letter_counts() == {}

    def test_engine_itself_refuses_a_second_open_alarm(self, engine: sa.Engine, commit: Callable[..., Any]) -> None:
        """One open alarm a device and rule is a UNIQUE index, not a habit."""
        commit(_found())
        copy = "INSERT INTO alarm SELECT id + 1, rule, device, area, site, severity, state, active, acknowledged, raised_at_ms,"
        rest = " event_ms, changed_at_ms, cleared_at_ms, late, cycles, evidence, NULL, NULL, NULL, NULL FROM alarm"
        with pytest.raises(EngineError, match="UNIQUE"), writing(engine) as connection:
            connection.execute(sa.text(copy + rest))

    def test_alarm_and_successor_fit_in_one_commit(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """An acknowledged alarm that clears and rises again at once closes, and a new one opens."""
        commit(_found())
        ledger.alarms.act_on_alarm(1, AlarmEvent.ACKNOWLEDGE, by="user:li", at_ms=NOON)
        commit(_found(action=Action.CLEAR), _found())
        states = [(a.id, a.state) for a in ledger.alarms.alarms(AlarmFilter(open_only=False))]
        assert states == [(2, AlarmState.ACTIVE_UNACKED), (1, AlarmState.CLOSED)]

    def test_storm_is_written_whole(self, ledger: SqlLedger) -> None:
        """More devices than one query can name are all found again by the next commit."""
        devices = range(1_200)
        ledger.books.commit(Decided(1_200, NOON, [_found(n, offset=n, rule="G101") for n in devices]))
        cleared = [_found(n, Action.CLEAR, offset=1_200 + n, rule="G101") for n in devices]
        ledger.books.commit(Decided(2_400, NOON, cleared))
        alarms = ledger.alarms.alarms(AlarmFilter(limit=2_000))
        assert len(alarms) == 1_200
        assert {alarm.state for alarm in alarms} == {AlarmState.CLEARED_UNACKED}
        assert ledger.hazards.open_hazard_counts() == {"clue": 1_200}
        assert ledger.hazards.verify_chain() == []

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(Action), st.sampled_from(["G101", "D101"])), min_size=1
        ),
        data=st.data(),
    )
    def test_cuts_into_commits_do_not_matter(
        self, steps: list[tuple[int, Action, str]], data: st.DataObject, migrated: Path, tmp_path: Path
    ) -> None:
        """However findings are cut into commits, alarms, hazards, notices and feed are the same."""
        findings = [_found(n, action, offset, rule) for offset, (n, action, rule) in enumerate(steps)]
        cut = data.draw(st.integers(0, len(findings)))
        pictures = []
        for parts in ([findings], [findings[:cut], findings[cut:]]):
            engine = open_engine(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
            ledger = SqlLedger(engine, _POLICIES)
            for part in filter(None, parts):
                ledger.books.commit(Decided(part[-1].offset + 1, NOON, part))
            alarms = ledger.alarms.alarms(AlarmFilter(open_only=False))
            hazards = ledger.hazards.hazards(HazardFilter(open_only=False))
            pictures.append((alarms, hazards, ledger.feed.feed(0), ledger.outbox.due_notices(NOON)))
            assert ledger.hazards.verify_chain() == []
            engine.dispose()
        assert pictures[0] == pictures[1]


class TestAlarms:
    def test_filters_and_pages(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """Each field of the filter narrows; pages go back from the newest."""
        commit(*(_found(n) for n in range(4)), _found(9, rule="G101", severity=Severity.CRITICAL))

        def ids(**fields: Any) -> list[int]:
            return [alarm.id for alarm in ledger.alarms.alarms(AlarmFilter(**fields))]

        assert ids() == [5, 4, 3, 2, 1]
        assert ids(limit=2) == [5, 4]
        assert ids(before_id=4, limit=2) == [3, 2]
        assert ids(rules=("G101",)) == ids(severities=(1,)) == [5]
        assert ids(site="site-0") == [3, 1]
        assert ids(device="weidong/site-1/d1") == [2]
        assert ids(area="elsewhere") == []
        assert ids(from_ms=NOON + 1, to_ms=NOON + 3) == [3, 2]

    def test_closed_alarms_are_kept_but_not_open(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """Acknowledge after clear closes; the alarm stays with its whole history."""
        commit(_found(), _found(action=Action.CLEAR))
        assert ledger.alarms.open_alarm_counts() == {2: 1}
        ledger.alarms.act_on_alarm(1, AlarmEvent.ACKNOWLEDGE, by="user:li", at_ms=NOON)
        assert ledger.alarms.open_alarm_counts() == {}
        assert ledger.alarms.alarms(AlarmFilter()) == []
        history = ledger.alarms.alarm_history(1)
        assert [t.event for t in history] == [AlarmEvent.RAISE, AlarmEvent.CLEAR, AlarmEvent.ACKNOWLEDGE]
        assert ledger.alarms.alarm(1).acknowledged_by == "user:li"

    def test_unknown_alarm_is_not_found(self, ledger: SqlLedger) -> None:
        """Reading, its history and acting say so alike."""
        for ask in (ledger.alarms.alarm, ledger.alarms.alarm_history):
            with pytest.raises(NotFoundError):
                ask(7)
        with pytest.raises(NotFoundError):
            ledger.alarms.act_on_alarm(7, AlarmEvent.ACKNOWLEDGE, by="user:li", at_ms=NOON)

    def test_refused_action_changes_nothing(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """An illegal or forbidden action leaves alarm, history and feed as they were."""
        commit(_found(rule="G101"))
        before = (ledger.alarms.alarm(1), ledger.alarms.alarm_history(1), ledger.feed.feed_end())
        with pytest.raises(IllegalTransitionError):
            ledger.alarms.act_on_alarm(1, AlarmEvent.UNSHELVE, by="user:li", at_ms=NOON)
        with pytest.raises(RefusedError, match="shelved"):
            ledger.alarms.act_on_alarm(1, AlarmEvent.SHELVE, by="user:li", at_ms=NOON, reason="x", until_ms=NOON + HOUR)
        assert (ledger.alarms.alarm(1), ledger.alarms.alarm_history(1), ledger.feed.feed_end()) == before

    def test_shelves_run_out(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """At its end a shelf gives its alarm back, once; a longer one is left."""
        commit(_found(1), _found(2))
        for number, until in ((1, NOON + HOUR), (2, NOON + 2 * HOUR)):
            ledger.alarms.act_on_alarm(
                number, AlarmEvent.SHELVE, by="user:li", at_ms=NOON, reason="维修", until_ms=until
            )
        assert ledger.alarms.expire_shelves(NOON + HOUR - 1) == []
        assert [a.id for a in ledger.alarms.expire_shelves(NOON + HOUR)] == [1]
        assert ledger.alarms.expire_shelves(NOON + HOUR) == []
        assert ledger.alarms.alarm_history(1)[-1].by == "system"
        assert ledger.alarms.alarm(2).state is AlarmState.SHELVED


class TestHazards:
    def test_filters_and_pages(self, ledger: SqlLedger) -> None:
        """Each field of the filter narrows; pages go back from the newest number."""
        for n in range(3):
            ledger.hazards.open_hazard(_draft(area=f"area-{n}"), by="user:li", at_ms=NOON)
        ledger.hazards.act_on_hazard("ZH-2026-000002", "refute", by="user:li", at_ms=NOON, basis="现场核实")

        def numbers(**fields: Any) -> list[str]:
            return [hazard.id[-1] for hazard in ledger.hazards.hazards(HazardFilter(**fields))]

        assert numbers() == ["3", "1"]
        assert numbers(open_only=False) == ["3", "2", "1"]
        assert numbers(open_only=False, states=(HazardState.ARCHIVED,)) == ["2"]
        assert numbers(grades=(Grade.MAJOR,)) == numbers(site="elsewhere") == []
        assert numbers(area="area-0") == ["1"]
        assert numbers(after="ZH-2026-000003") == ["1"]
        assert ledger.hazards.open_hazard_counts() == {"clue": 2}

    def test_steps_are_kept_with_who_when_and_why(self, ledger: SqlLedger) -> None:
        """Each step is a row of the hazard's chain, read back as written."""
        hazard = ledger.hazards.open_hazard(_draft(), by="user:li", at_ms=NOON)
        ledger.hazards.act_on_hazard(
            hazard.id, "verify", by="user:wang", at_ms=NOON + 1, basis="现场", data={"a": [1.5]}
        )
        opened, verified = ledger.hazards.hazard_events(hazard.id)
        assert (opened.event, opened.before, verified.previous) == ("open", None, opened.hash)
        assert (verified.by, verified.at_ms, verified.basis, verified.data) == (
            "user:wang",
            NOON + 1,
            "现场",
            {"a": [1.5]},
        )

    def test_hazard_of_an_active_alarm_is_not_closed(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """Closing waits until the alarm has cleared."""
        commit(_found(rule="G101"))
        name = ledger.alarms.alarm(1).hazard
        assert name is not None
        steps = ["verify", "register", "assign", "accept", "start", "request_review", "pass_review", "approve"]
        for step in steps:
            data = {"assignee": "E-1"} if step == "assign" else None
            ledger.hazards.act_on_hazard(name, step, by="user:li", at_ms=NOON, basis="b", data=data)
        with pytest.raises(RefusedError, match="active"):
            ledger.hazards.act_on_hazard(name, "close", by="user:li", at_ms=NOON, basis="b")
        commit(_found(rule="G101", action=Action.CLEAR))
        assert ledger.hazards.act_on_hazard(name, "close", by="user:li", at_ms=NOON, basis="b").state == "closed"
        commit(_found(rule="G101"))
        assert ledger.alarms.alarm(1).hazard == "ZH-2026-000002"
        assert ledger.hazards.verify_chain() == []

    def test_unknown_hazard_is_not_found(self, ledger: SqlLedger) -> None:
        """Reading, its chain and acting say so alike."""
        for ask in (ledger.hazards.hazard, ledger.hazards.hazard_events):
            with pytest.raises(NotFoundError):
                ask("ZH-1999-000001")
        with pytest.raises(NotFoundError):
            ledger.hazards.act_on_hazard("ZH-1999-000001", "note", by="user:li", at_ms=NOON, basis="b")

    @pytest.mark.parametrize(
        ("tampering", "named"),
        [
            ("UPDATE hazard_event SET note = 'x' WHERE sequence = 3", "3: its content"),
            ("UPDATE hazard_event SET data = json_set(data, '$.title', 'x') WHERE sequence = 1", "1: its content"),
            ("DELETE FROM hazard_event WHERE sequence = 2", "3: rows 2 to 2 before it were removed"),
            ("DELETE FROM hazard_event WHERE sequence >= 3", "3: rows 3 to 4 at the end were removed"),
            ("DELETE FROM hazard_event", "1: rows 1 to 4 at the end were removed"),
            (
                "UPDATE hazard_event SET sequence = sequence + 10 WHERE sequence = 4",
                "14: it was moved here from number 4",
            ),
            ("UPDATE hazard SET state = 'closed' WHERE id = 'ZH-2026-000001'", "None: ZH-2026-000001 state differ"),
            ("UPDATE hazard SET grade = 'nonsense' WHERE id = 'ZH-2026-000001'", "None: ZH-2026-000001 grade differ"),
            ("DELETE FROM hazard WHERE id = 'ZH-2026-000002'", "None: ZH-2026-000002 it has rows"),
            ("UPDATE hazard_event SET data = '{broken' WHERE sequence = 2", "2: its content"),
            ("UPDATE hazard_event SET after = 'nonsense' WHERE sequence = 2", "2: its content"),
            ("UPDATE hazard SET alarms = '[broken' WHERE id = 'ZH-2026-000001'", "None: ZH-2026-000001 alarms differ"),
            ("DELETE FROM chain_end", "1: rows 1 to 4 at the end were inserted"),
        ],
    )
    def test_tampering_in_the_database_is_named(
        self, ledger: SqlLedger, engine: sa.Engine, tampering: str, named: str
    ) -> None:
        """Whoever edits the database behind our back is found, and the place is named."""
        for _ in range(2):
            hazard = ledger.hazards.open_hazard(_draft(), by="user:li", at_ms=NOON)
            ledger.hazards.act_on_hazard(hazard.id, "verify", by="user:li", at_ms=NOON, basis="b")
        assert ledger.hazards.verify_chain() == []
        with writing(engine) as connection:
            connection.execute(sa.text(tampering))
        found = [
            f"{t.sequence}: {t.hazard if t.sequence is None else ''} {t.problem}" for t in ledger.hazards.verify_chain()
        ]
        assert any(" ".join(text.split()).startswith(named) for text in found), found


class TestFeedAndOutbox:
    def test_feed_resumes_anywhere_without_gap_or_double(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """What commits returned, in order, is what the feed gives from any point on."""
        returned = [*commit(_found(1, rule="G101"), _found(2)), *commit(_found(2, action=Action.CLEAR))]
        ledger.alarms.act_on_alarm(1, AlarmEvent.ACKNOWLEDGE, by="user:li", at_ms=NOON)
        everything = ledger.feed.feed(0)
        assert everything[:4] == returned
        assert [item.kind for item in everything] == ["hazard", "alarm", "alarm", "alarm", "alarm"]
        for item in everything:
            assert ledger.feed.feed(item.id) == [later for later in everything if later.id > item.id]
        assert ledger.feed.feed(0, limit=2) == everything[:2]
        assert ledger.feed.feed_end() == everything[-1].id

    def test_feed_shows_the_alarm_with_its_hazard(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """The last item about an alarm equals the alarm as it can be read."""
        commit(_found(1, rule="G101"))
        last = [item for item in ledger.feed.feed(0) if item.kind == "alarm"][-1]
        assert last.body == msgspec.to_builtins(ledger.alarms.alarm(1))

    def test_notice_is_due_until_sent(self, ledger: SqlLedger, commit: Callable[..., Any]) -> None:
        """A notice waits, comes again after its pause with its count and deliveries, and is gone when sent."""
        commit(_found(), _found(2))
        first, second = ledger.outbox.due_notices(NOON)
        assert (first.kind, first.subject, first.attempts, first.deliveries) == ("alarm.raise", "alarm/1", 0, ())
        made = [{"inspector": "I-1"}]
        ledger.outbox.notice_failed(first.id, NOON, error="busy", retry_at_ms=NOON + 5, deliveries=made)
        assert ledger.outbox.due_notices(NOON + 4) == [second]
        again = ledger.outbox.due_notices(NOON + 5)[0]
        assert (again.id, again.attempts, again.deliveries) == (first.id, 1, tuple(made))
        ledger.outbox.notices_sent([Sent(first.id, NOON, made)])
        ledger.outbox.notice_failed(second.id, NOON, error="gone", retry_at_ms=None)
        assert ledger.outbox.due_notices(NOON + HOUR) == []
        assert ledger.outbox.outbox_counts() == {"waiting": 0, "sent": 1, "failed": 1}

    def test_oldest_notice_of_a_subject_is_due_and_the_gravest_subject_first(
        self, ledger: SqlLedger, commit: Callable[..., Any]
    ) -> None:
        """Later news of a subject waits for earlier ones; subjects come by the gravest they have waiting; busy ones do not."""
        commit(_found(severity=Severity.MEDIUM), _found(2, severity=Severity.HIGH))
        commit(_found(severity=Severity.CRITICAL))
        due = ledger.outbox.due_notices(NOON)
        assert [(notice.kind, notice.subject) for notice in due] == [
            ("alarm.raise", "alarm/1"),
            ("alarm.raise", "alarm/2"),
        ]
        assert [notice.subject for notice in ledger.outbox.due_notices(NOON, busy=["alarm/1"])] == ["alarm/2"]
        ledger.outbox.notice_failed(due[0].id, NOON, error="busy", retry_at_ms=NOON + HOUR)
        assert [notice.subject for notice in ledger.outbox.due_notices(NOON)] == ["alarm/2"]
        ledger.outbox.notices_sent([Sent(due[0].id, NOON, [])])
        assert ledger.outbox.due_notices(NOON)[0].kind == "alarm.change"

    def test_old_news_are_dropped_but_not_what_waits_and_numbers_go_on(
        self, ledger: SqlLedger, commit: Callable[..., Any]
    ) -> None:
        """The feed keeps its newest item, the outbox what was not sent; nothing young is touched."""
        commit(_found(), _found(2))
        end, (first, second) = ledger.feed.feed_end(), ledger.outbox.due_notices(NOON)
        ledger.outbox.notices_sent([Sent(first.id, NOON, [])])
        assert (ledger.feed.drop_feed_before(NOON), ledger.outbox.drop_sent_before(NOON)) == (0, 0)
        later = NOON + HOUR
        commit(_found(3, at_ms=later))
        assert ledger.feed.drop_feed_before(later) == end
        assert ledger.outbox.drop_sent_before(later) == 1
        assert second in ledger.outbox.due_notices(later)
        assert [item.id for item in ledger.feed.feed(0)] == [end + 1]
        assert ledger.feed.drop_feed_before(later + HOUR) == 0
        assert ledger.feed.feed_end() == end + 1

    def test_unknown_notice_is_not_found(self, ledger: SqlLedger) -> None:
        """Marking a notice that does not exist is an error, not silence."""
        with pytest.raises(NotFoundError):
            ledger.outbox.notices_sent([Sent(1, NOON, [])])


class TestDeadLetters:
    def test_letters_are_kept_whole_listed_and_counted(self, ledger: SqlLedger) -> None:
        """Bytes come back as they were; lists page and filter; counts are by reason."""
        letters = [_letter(0), _letter(1, "topic"), _letter(2)]
        ledger.books.commit(Decided(3, NOON, dead_letters=letters))
        assert ledger.dead_letters.dead_letter(1) == letters[1]
        assert ledger.dead_letters.dead_letters() == letters[::-1]
        assert ledger.dead_letters.dead_letters(reason="json", before_offset=2) == [letters[0]]
        assert ledger.dead_letters.dead_letter_counts() == {"json": 2, "topic": 1}

    def test_old_letters_expire(self, ledger: SqlLedger) -> None:
        """Those received before the time go, the others stay; the account of dead messages is not touched."""
        old, young = _letter(0), msgspec.structs.replace(_letter(1), received_ms=NOON + HOUR)
        ledger.books.commit(Decided(2, NOON, dead_letters=[old, young], counts=Counts(dead=2)))
        assert ledger.dead_letters.drop_dead_letters_before(NOON + HOUR) == 1
        assert ledger.dead_letters.dead_letters() == [young]
        assert ledger.books.committed().counts.dead == 2

    def test_the_loudest_give_way_oldest_first(self, ledger: SqlLedger) -> None:
        """One topic has an eighth at most; a device that is heard seldom keeps all its letters."""
        loud = [msgspec.structs.replace(_letter(i), topic="loud", payload=bytes(996)) for i in range(1, 101)]
        quiet = [_letter(0), _letter(101)]
        ledger.books.commit(Decided(102, NOON, dead_letters=[quiet[0], *loud, quiet[1]], counts=Counts(dead=102)))
        assert ledger.dead_letters.cap_dead_letters(1_000_000) == 4
        assert ledger.dead_letters.cap_dead_letters(1_000_000) == 0
        kept = ledger.dead_letters.dead_letters(limit=200)
        assert [letter.offset for letter in kept] == [101, *range(100, 4, -1), 0]
        assert ledger.books.committed().counts.dead == 102

    def test_replay_is_marked(self, ledger: SqlLedger, engine: sa.Engine) -> None:
        """A replayed letter stays, marked with the time; an unknown one is not found."""
        ledger.books.commit(Decided(1, NOON, dead_letters=[_letter(0)]))
        ledger.dead_letters.dead_letter_replayed(0, NOON + 9)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT replayed_at_ms FROM dead_letter")).scalar() == NOON + 9
        with pytest.raises(NotFoundError):
            ledger.dead_letters.dead_letter_replayed(5, NOON)
        with pytest.raises(NotFoundError):
            ledger.dead_letters.dead_letter(5)
