"""kill -9 at random instants, of us and of the broker, while devices with a known truth publish through a real Mosquitto.

    python -m bench.crash --kills 50 [--broker-kills 20] [--protocol 3.1.1] [--devices 200] [--seed 1] [--json]
    python -m bench.crash --kills 50 --runs 20 --keep runs.jsonl

Every device raises its alarms once, at an instant spread over the whole run. At the end every one of them must be in the
ledger exactly once. As long as the broker lives, every message must be decoded exactly once, too (repeats are counted apart);
a broker that is killed loses what it had not saved, which is why devices repeat events and why levels stand.

Several runs have one seed after the other. With `--keep` each is written to a file as it ends; what is in the file is not
run again, so a long series may be cut short at any time, and the totals are those of the file.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.crash_devices import STEP_S, Plan, Publisher
from bench.crash_service import Service
from emberwatch.settings import MqttSettings, Settings
from emberwatch.stores import Books, open_books
from ingest.mosquitto import Mosquitto, find_mosquitto, free_port
from ledger.alarm import AlarmFilter
from ledger.hazard import HazardFilter

_LIFE_S = (0.02, 1.5)
"""A process lives between these before it is killed: from its start, or from when it is up."""
_AT_WORK = 0.75
"""The share of processes whose life counts from when they are up; the others may die while starting."""
_START_S = 0.5
"""About how long a start takes here; only the length of the plan depends on it."""
_AFTER_BROKER_S = 4.0
"""Length of the run for each kill of the broker, where ours do not make it longer."""
_BROKER_DOWN_S = (0.0, 3.0)
_PATIENCE_S = 120.0
_ALL = 1_000_000


class Order(NamedTuple):
    """What to do: how many kills of us and of the broker, by which protocol we listen, how many devices."""

    kills: int
    broker_kills: int = 0
    protocol: str = "5"
    devices: int = 200
    seed: int = 1


class Outcome(NamedTuple):
    """What came of a run: alarms as (rule, device) that are missing or more than one, messages lost or decoded twice."""

    protocol: str
    seed: int
    kills: int
    broker_kills: int
    alarms: int
    missing: list[tuple[str, str]]
    doubled: list[tuple[str, str]]
    hazards_wrong: int
    sent: int
    repeated: int
    without_receipt: int
    decoded: int
    duplicate: int
    dead: int
    thinned: int
    chain_faults: int

    @property
    def lost(self) -> int:
        """Messages sent and confirmed by the broker, and not decoded (negative: decoded twice)."""
        return self.sent - self.decoded

    @property
    def perfect(self) -> bool:
        """Whether every promise held; a broker that was killed may lose messages, but no alarm, and double none."""
        wrong = self.missing or self.doubled or self.hazards_wrong or self.dead or self.thinned or self.chain_faults
        lost = self.lost < 0 if self.broker_kills else self.lost
        return not (wrong or lost or self.without_receipt)


class Chaos:
    """Kills the broker at random instants of a run and starts it again a little later; between, time passes.

    All in the caller's thread, with whose end the broker ends.
    """

    def __init__(self, broker: Mosquitto, kills: int, seconds: float, rng: random.Random) -> None:
        self._broker = broker
        self._events: list[tuple[float, Callable[[], None]]] = []
        for at in sorted(rng.uniform(0, seconds) for _ in range(kills)):
            down = max([at, *(event[0] for event in self._events[-1:])])
            self._events += [(down, broker.kill), (down + rng.uniform(*_BROKER_DOWN_S), broker.start)]
        self._begin = time.monotonic()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and happen what falls into it."""
        end = time.monotonic() + seconds
        while self._events and self._begin + self._events[0][0] < end:
            at, act = self._events.pop(0)
            time.sleep(max(0.0, self._begin + at - time.monotonic()))
            act()
        time.sleep(max(0.0, end - time.monotonic()))

    def finish(self) -> None:
        """Let everything happen that has not yet."""
        if self._events:
            self.pass_time(self._begin + self._events[-1][0] - time.monotonic() + 0.1)


class Life(NamedTuple):
    """How long a process lives, in seconds: from its start, or from when it is up (`at_work`)."""

    seconds: float
    at_work: bool


def lives(kills: int, rng: random.Random) -> list[Life]:
    return [Life(rng.uniform(*_LIFE_S), rng.random() < _AT_WORK) for _ in range(kills)]


def run(order: Order, *, folder: Path | None = None) -> Outcome:
    """Return what came of the kills; state is left in `folder` when one is given."""
    rng = random.Random(order.seed)
    killed = lives(order.kills, rng)
    known = sum(life.seconds + _START_S * life.at_work for life in killed)
    rest = max(0.0, order.broker_kills * _AFTER_BROKER_S - known)
    plan = Plan(order.devices, max(20, round((known + rest) / STEP_S)), order.seed)
    with tempfile.TemporaryDirectory() as temporary:
        home = folder or Path(temporary)
        log = home / "service.log"
        with _broker(home / "broker") as broker:
            settings = _settings(home / "data", broker, order.protocol)
            with open_books(settings) as books:
                for entries in plan.registers():
                    books.registers.put(entries, by="user:bench")
                _first_session(settings, log)
                broker.stop()  # in good order: it saves our session, as it would by itself soon
                broker.start()
                publisher = Publisher(plan, broker.host, broker.port)
                publisher.start()
                chaos = Chaos(broker, order.broker_kills, known + rest, rng)
                for life in killed:
                    _live(life, settings, log, chaos)
                with Service(settings, log):
                    chaos.pass_time(rest)
                    chaos.finish()
                    if order.broker_kills:  # what the broker lost is told again as long as it is true
                        _wait(lambda: plan.truth() <= set(_alarms(books)), _PATIENCE_S)
                    publisher.enough.set()
                    publisher.join(_PATIENCE_S)
                    _wait(lambda: bool(order.broker_kills) or _decoded(books) >= publisher.sent, _PATIENCE_S)
                return _judge(order, plan, publisher, books)


def _live(life: Life, settings: Settings, log: Path, chaos: Chaos) -> None:
    with Service(settings, log) as service:
        if life.at_work:
            service.wait_until_up()
        chaos.pass_time(life.seconds)


def _settings(data: Path, broker: Mosquitto, protocol: str) -> Settings:
    mqtt = MqttSettings(protocol="3.1.1" if protocol == "3.1.1" else "5")
    return Settings(data=str(data), broker=f"mqtt://{broker.host}:{broker.port}", mqtt=mqtt)


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    program = find_mosquitto()
    if program is None:
        raise SystemExit("this needs mosquitto (Debian: apt-get install mosquitto)")
    folder.mkdir(parents=True)
    broker = Mosquitto(program, folder, free_port())
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _first_session(settings: Settings, log: Path) -> None:
    """Let the service subscribe once, so that the broker keeps messages for it from then on."""
    with Service(settings, log) as service:
        service.wait_until_up()
        time.sleep(1.0)


def _decoded(books: Books) -> int:
    return books.ledger.books.committed().counts.decoded


def _wait(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.2)


def _alarms(books: Books) -> Counter[tuple[str, str]]:
    alarms = books.ledger.alarms.alarms(AlarmFilter(open_only=False, limit=_ALL))
    return Counter((alarm.rule, alarm.device) for alarm in alarms)


def _judge(order: Order, plan: Plan, publisher: Publisher, books: Books) -> Outcome:
    counts, found = books.ledger.books.committed().counts, _alarms(books)
    hazards = books.ledger.hazards.hazards(HazardFilter(open_only=False, limit=_ALL))
    faults = books.ledger.hazards.verify_chain()
    truth = plan.truth()
    due = {pair for pair in truth if pair[0] in ("G101", "F101")}
    ledger = Counter((hazard.rule or "", hazard.device or "") for hazard in hazards)
    return Outcome(
        protocol=order.protocol,
        seed=order.seed,
        kills=order.kills,
        broker_kills=order.broker_kills,
        alarms=len(truth),
        missing=sorted(truth - set(found)),
        doubled=sorted(pair for pair in truth if found[pair] > 1),
        hazards_wrong=sum(ledger[pair] != 1 for pair in due),
        sent=publisher.sent,
        repeated=publisher.repeated,
        without_receipt=publisher.waiting,
        decoded=counts.decoded,
        duplicate=counts.duplicate,
        dead=counts.dead,
        thinned=counts.thinned,
        chain_faults=len(faults),
    )


def series(orders: Sequence[Order], keep: Path | None, folder: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each order, of those in the file `keep` as they are there, then of the others as they end."""
    known = [json.loads(line) for line in keep.read_text("ascii").splitlines()] if keep and keep.exists() else []
    yield from known
    done = {tuple(outcome[name] for name in _KEY) for outcome in known}
    for order in orders:
        if (order.protocol, order.seed, order.kills, order.broker_kills) in done:
            continue
        outcome = run(order, folder=folder)
        told = {**outcome._asdict(), "lost": outcome.lost, "perfect": outcome.perfect}
        if keep:
            with keep.open("a", encoding="ascii") as file:
                file.write(json.dumps(told) + "\n")
        yield told


_KEY = ("protocol", "seed", "kills", "broker_kills")


def total(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over several runs, and the seeds of those in which a promise was broken."""
    names = [
        name for name, value in outcomes[0].items() if isinstance(value, int | list) and name not in ("seed", "perfect")
    ]
    added = {name: sum((outcome[name] for outcome in outcomes), type(outcomes[0][name])()) for name in names}
    broken = [outcome["seed"] for outcome in outcomes if not outcome["perfect"]]
    return {"runs": len(outcomes), **added, "broken": broken, "perfect": not broken}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--broker-kills", type=int, default=0)
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="so many runs, with this seed and the next ones")
    parser.add_argument("--keep", type=Path, help="write each outcome here, and do not run again what is here")
    parser.add_argument("--folder", type=Path, help="keep all state here (of one run)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    orders = [
        Order(given.kills, given.broker_kills, given.protocol, given.devices, given.seed + i) for i in range(given.runs)
    ]
    outcomes = list(series(orders, given.keep, given.folder))
    result = outcomes[0] if len(outcomes) == 1 else total(outcomes)
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:16} {value}")
    return 0 if result["perfect"] else 1


if __name__ == "__main__":
    sys.exit(main())
