"""Claims about the watch over ourselves: what is told, when, and that nothing flickers."""

from dataclasses import dataclass, field

from domain.errors import EngineError
from domain.records import SERVICE, Record, troubles
from emberwatch.selfwatch import SelfWatch, Trouble, _growing
from ingest.transport import Message


@dataclass
class Bench:
    """A watch over one trouble that the test sets, on a clock that the test moves; `told` is what it submitted."""

    patience_s: float = 0.0
    there: bool = False
    now_s: float = 1000.0
    told: list[set[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trouble = Trouble("disk", lambda: {"free_mib": 7} if self.there else None, self.patience_s)
        self.watch = SelfWatch([self.trouble], self._submit, lambda: self.now_s)

    def _submit(self, messages: list[Message]) -> None:
        (message,) = messages
        assert message.topic == SERVICE
        self.told.append(set(troubles(Record(0, message.topic, message.payload))))

    def looks(self, after_s: float, *, there: bool) -> list[set[str]]:
        """Return what is told at a look some seconds later."""
        self.now_s += after_s
        self.there, self.told = there, []
        self.watch.look()
        return self.told


def test_how_things_are_is_told_at_the_start() -> None:
    """Whatever stood when the service ended last is judged anew; nothing is said twice."""
    bench = Bench()
    assert bench.looks(0, there=False) == [set()]
    assert bench.looks(5, there=False) == []


def test_a_trouble_is_told_when_it_comes_and_when_it_has_been_gone_for_a_while() -> None:
    """One that comes and goes is one trouble."""
    bench = Bench()
    assert bench.looks(0, there=True) == [{"disk"}]
    assert bench.looks(5, there=True) == []
    assert bench.looks(5, there=False) == []
    assert bench.looks(290, there=True) == []
    assert bench.looks(299, there=False) == []
    assert bench.looks(5, there=False) == [set()]


def test_what_may_last_a_while_is_told_only_after_it() -> None:
    """A broker that is back within a minute is no alarm, however often."""
    bench = Bench(patience_s=60)
    assert bench.looks(0, there=True) == [set()]
    assert bench.looks(55, there=True) == []
    assert bench.looks(1, there=False) == []
    assert bench.looks(55, there=True) == []
    assert bench.looks(61, there=True) == [{"disk"}]


def test_a_counter_is_trouble_while_it_grows() -> None:
    """What it stood at when we began is an old story."""
    count = 7
    look = _growing("dropped", lambda: count)
    assert look() is None
    count = 9
    assert look() == {"dropped": 9}
    assert look() is None
    count = 0  # the broker began anew
    assert look() is None


def test_what_cannot_be_looked_at_is_trouble() -> None:
    """A disk that does not answer is not a disk with room."""

    def gone() -> dict[str, int]:
        raise EngineError("gone")

    trouble = Trouble("disk", gone)
    trouble.judge(0)
    assert trouble.facts == {"error": "gone"}
