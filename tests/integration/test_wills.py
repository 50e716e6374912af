"""A broken connection is told by the broker (the MQTT will): the alarm comes with it, not after the silence limit."""

import msgspec

from detectors.build import build_engine
from domain.changes import RegisterChange
from domain.findings import Action
from domain.records import REGISTER, RETAINED, START, Record, RecordBatch
from emberwatch.pipeline import Machine
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site

TOPIC = "safety/v1/a/s/d"
OFFLINE = b'{"online": false}'


def findings(*records: Record) -> list[tuple[str, Action, int]]:
    entries = (
        Area(code="a", name="a"),
        Site(code="s", name="s", area="a"),
        DeviceModel(code="m", name="m", kind=DeviceKind.GAS, interval_s=3600),
        Device(code="d", site="s", model="m"),
    )
    changes = [RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, start=1)]
    known = (Record(0, START, b""), Record(0, REGISTER, msgspec.json.encode(changes)))
    machine, found = Machine(build_engine), []
    for decoded in machine.decoder.decode(RecordBatch(0, [*known, *records])):
        found += machine.engine.process(decoded.segment)
    return [(f.rule, f.action, f.at_ms) for f in found]


def test_a_will_raises_silence_at_once_and_speech_ends_it() -> None:
    """The model's hour has not passed."""
    assert findings(
        Record(1_000, f"{TOPIC}/telemetry", b'{"v": {"ch4_lel": 0.1}}'),
        Record(2_000, f"{TOPIC}/status", OFFLINE),
        Record(9_000, f"{TOPIC}/telemetry", b'{"v": {"ch4_lel": 0.1}}'),
    ) == [("D101", Action.RAISE, 2_000), ("D101", Action.CLEAR, 9_000)]


def test_a_stored_will_is_old_news() -> None:
    """What the broker retained before we came raises nothing."""
    assert findings(Record(2_000, f"{TOPIC}/status", OFFLINE, RETAINED)) == []
