"""A simulated district for days or a year: every rule's case many times among nuisances; what is found, how late, what is false.

    python -m bench.detection.district [--devices 1000] [--days 1] [--times 5] [--seed 1] [--json] [--picture district.html]

Each case of `cases.py` is played `--times` times at random sites between 8 and 20 o'clock, nuisances every day and night at
every site. Devices report every ten minutes at rest (meters every five) and every ten seconds while something happens around
them. The records go through the decoder and engine of the live service; its clock ticks every `--tick` seconds rather than
each, so delays of rules that wait are rounded up to that. `--list` adds every miss and false alarm.
"""

import datetime as dt
import heapq
import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import msgspec

from bench.detection import nuisances, scoring, telling
from bench.detection.cases import CASES, SLOT_S, Case, Scene, Stage
from bench.detection.scoring import PATIENCE_S, Score, Window
from bench.detection.town import PER_SITE, Plot, models
from detectors.build import build_engine
from detectors.catalogue import CATALOGUE
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.records import REGISTER, START, TICK, Record, RecordBatch
from emberwatch.pipeline import Machine
from registers.local_time import LOCAL
from simulators.scenario import Scenario, TruthRow, generate, truth

BEGIN = dt.datetime(2026, 3, 2, tzinfo=LOCAL)
"""A Monday midnight."""
_FIRST_S, _SLOTS_A_DAY = 8 * 3600.0, 8
_BATCH = 5_000
Place = tuple[Plot, int, int]
"""Site, day and slot."""


class Order(NamedTuple):
    """What to play."""

    devices: int = 1000
    days: int = 1
    times: int = 5
    seed: int = 1
    tick_s: int = 60

    @property
    def sites(self) -> int:
        return max(1, self.devices // PER_SITE)


class Played(NamedTuple):
    """A district with its happenings, ready to run, and what must be found in it."""

    order: Order
    stage: Stage
    scenario: Scenario
    truth: list[TruthRow]
    windows: list[tuple[str, Window]]

    @property
    def begin_ms(self) -> int:
        return round(self.stage.begin.timestamp() * 1000)


def arrange(order: Order) -> Played:
    """Return the district; the same order gives the same one."""
    rng, stage = Random(order.seed), Stage(BEGIN)
    plots = [Plot(i) for i in range(order.sites)]
    windows = _cast(order, plots, stage, rng)
    for plot in plots:
        stage.entries[:0] = list(plot.entries(BEGIN.date()))
        for day in range(order.days):
            nuisances.play(stage, plot, day, rng)
    behaviours = [b for plot in plots for b in plot.behaviours()] + stage.strangers
    scenario = Scenario(
        "district", "", order.seed, order.days * nuisances.DAY_S, {b.path: b for b in behaviours}, stage.incidents
    )
    begin_ms = round(BEGIN.timestamp() * 1000)
    rows = [row for row in truth(scenario, begin_ms) if CATALOGUE[row.rule].built]
    return Played(order, stage, scenario, rows, windows)


def _cast(order: Order, plots: list[Plot], stage: Stage, rng: Random) -> list[tuple[str, Window]]:
    """Play each case as often as ordered, or as there is room for, where its site is free; return where and when."""
    free = [(plot, day, slot) for plot in plots for day in range(order.days) for slot in range(_SLOTS_A_DAY)]
    rng.shuffle(free)
    taken: set[tuple[int, int, int]] = set()
    windows = []
    longest_first = sorted(CASES, key=lambda name: (-CASES[name].days, -CASES[name].slots))
    deck = [
        name for _ in range(order.times) for name in longest_first
    ]  # by turns, so that want of room falls on all alike
    for number, name in enumerate(deck):
        case = CASES[name]
        place = next((p for p in free if _fits(p, case, order.days, taken)), None)
        if place is None:
            continue
        plot, day, slot = place
        taken.update(_slots(place, case))
        at_s = day * nuisances.DAY_S + _FIRST_S + slot * SLOT_S + rng.uniform(0, 600)
        case.play(Scene(stage, plot, at_s, str(number), name))
        windows.append((plot.site, _window(name, at_s, case)))
    return windows


def _slots(place: Place, case: Case) -> list[tuple[int, int, int]]:
    """Return what a case takes of its site: some slots of a day, or whole days."""
    plot, day, slot = place
    if case.days:
        return [(plot.number, day + i, j) for i in range(case.days) for j in range(_SLOTS_A_DAY)]
    return [(plot.number, day, slot + i) for i in range(case.slots)]


def _fits(place: Place, case: Case, days: int, taken: set[tuple[int, int, int]]) -> bool:
    _, day, slot = place
    has_time = slot == 0 and day + case.days <= days if case.days else slot + case.slots <= _SLOTS_A_DAY
    return day >= case.after_days and has_time and taken.isdisjoint(_slots(place, case))


def _window(name: str, at_s: float, case: Case) -> Window:
    nights_s = max(0, case.days - 1) * nuisances.DAY_S
    begin_ms, lasts_s = round(BEGIN.timestamp() * 1000), nights_s + (_SLOTS_A_DAY if case.days else case.slots) * SLOT_S
    return Window(begin_ms + round(at_s * 1000), begin_ms + round((at_s + lasts_s + PATIENCE_S) * 1000), name)


def records(played: Played) -> Iterator[Record]:
    """Yield what the journal would hold."""
    start_ms, order = played.begin_ms, played.order
    yield Record(start_ms, START, b"")
    entries = enumerate([*models(), *played.stage.entries], 1)
    changes = [RegisterChange(i, entry.noun, entry.key, entry.projection()) for i, entry in entries]
    yield Record(start_ms, REGISTER, msgspec.json.encode(changes))
    said = (Record(m.at_ms, m.topic, m.payload) for m in generate(played.scenario, start_ms))
    steps = range(order.tick_s, order.days * 86_400, order.tick_s)
    ticks = (Record(start_ms + 1000 * second, TICK, b"") for second in steps)
    told = sorted(played.stage.commands, key=lambda record: record.received_ms)
    yield from heapq.merge(said, ticks, told, key=lambda record: record.received_ms)


def run(played: Played, progress: Callable[[float], None] = lambda _days: None) -> tuple[list[Finding], int]:
    """Return every finding, and how many records there were; `progress` is told how many days are done."""
    machine, stream = Machine(build_engine), records(played)
    findings: list[Finding] = []
    offset = 0
    while batch := list(islice(stream, _BATCH)):
        for decoded in machine.decoder.decode(RecordBatch(offset, batch)):
            findings += machine.engine.process(decoded.segment)
        offset += len(batch)
        progress((batch[-1].received_ms - played.begin_ms) / 86_400_000)
    return findings, offset


def listing(played: Played, found: Score) -> list[dict[str, Any]]:
    """Return every miss and every false alarm, for whoever mends them."""
    begin_ms = played.begin_ms
    quiet = [("missed", row) for row in found.missed] + [("stood", row) for row in found.stood]
    missed = [(what, r.rule, r.device, r.start_ms, r.note) for what, r in quiet]
    in_vain = [("false", f) for f in found.false] + [("beside", f) for f in found.beside]
    false = [(what, f.rule, f.device, f.at_ms, json.dumps(f.evidence, ensure_ascii=False)) for what, f in in_vain]
    return [
        {"what": what, "rule": rule, "device": device, "day": round((at_ms - begin_ms) / 86_400_000, 3), "why": why}
        for what, rule, device, at_ms, why in [*missed, *false]
    ]


def picture(rows: list[dict[str, Any]], summary: dict[str, Any]) -> str:
    """Return a page of bars: recall, delay and false alarms of every rule."""
    measures = {"recall": "Recall", "delay_median_s": "Delay, median (s)", "false_a_device_year": "False a device-year"}
    drawn = [telling.bars(title, [(r["rule"], r[key] or 0.0) for r in rows]) for key, title in measures.items()]
    return telling.page(
        "A simulated district", [telling.table("Whole", [summary]), *drawn, telling.table("Rules", rows)]
    )


def main() -> None:
    parser = telling.parser(__doc__ or "")
    for name, default in Order()._asdict().items():
        parser.add_argument(
            f"--{name.removesuffix('_s')}", type=int, default=default, dest=name, help=f"default {default}"
        )
    parser.add_argument("--list", action="store_true", help="every miss and false alarm")
    given = parser.parse_args()
    played = arrange(Order(*(getattr(given, name) for name in Order._fields)))
    tell_progress = sys.stderr.isatty()
    findings, count = run(
        played, lambda days: print(f"\r{days:.2f} days", end="", file=sys.stderr) if tell_progress else None
    )
    found = scoring.score(findings, played.truth, played.windows)
    devices, days = played.order.sites * PER_SITE, float(played.order.days)
    rows = scoring.rows(found, played.truth, played.order.sites, days)
    no_room = played.order.times * len(CASES) - len(played.windows)
    more = {"cases": len(played.windows), "cases_without_room": no_room, "records": count, "seed": played.order.seed}
    summary = scoring.summary(found, played.truth, devices, days) | more
    if given.picture:
        given.picture.write_text(picture(rows, summary), "utf-8")
    listed = listing(played, found) if given.list else []
    telling.tell({"summary": summary, "rows": rows, "list": listed}, [rows, [summary], listed], as_json=given.json)


if __name__ == "__main__":
    main()
