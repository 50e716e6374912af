"""The native codec: what wire.md allows is read, and everything else is a MalformedPayloadError with its reason."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MalformedPayloadError
from ingest.codecs import native

READERS = (native.telemetry, native.event, native.status, native.reply)


def reason(read: Any, payload: bytes) -> str:
    with pytest.raises(MalformedPayloadError) as caught:
        read(payload, "dev-1")
    return caught.value.reason


def reason_or_none(read: Any, payload: bytes) -> str | None:
    try:
        read(payload, "dev-1")
    except MalformedPayloadError as error:
        return error.reason
    return None


def test_telemetry_is_read_whole() -> None:
    """Time, sequence, boot and every value arrive; whole numbers become floats."""
    payload = (
        b'{"ts": 1763900000123, "seq": 1234, "boot": 7, "v": {"ch4_lel": 3, "temp_c": 21.5}, "bat": 88, "rssi": -71}'
    )
    (message,) = native.telemetry(payload, "dev-1")
    assert message == native.Telemetry(
        ts=1763900000123, seq=1234, boot=7, v={"ch4_lel": 3.0, "temp_c": 21.5}, bat=88, rssi=-71
    )
    assert isinstance(message.v["ch4_lel"], float)


def test_a_gateway_may_send_many() -> None:
    """An array is read in order."""
    messages = native.telemetry(b'[{"v": {"rh": 1}}, {"v": {"rh": 2}, "seq": 5}]', "dev-1")
    assert [message.v["rh"] for message in messages] == [1.0, 2.0]


def test_vendors_may_add_fields() -> None:
    """Unknown fields are ignored, at the top and in an event's data."""
    assert native.telemetry(b'{"v": {}, "firmware": {"name": "x"}}', "dev-1")[0].v == {}
    assert native.event(b'{"type": "fault", "data": {"code": "heater", "line": 3}}', "d").data == {"code": "heater"}


@pytest.mark.parametrize("kind", native.EVENTS)
def test_every_event_type_is_read(kind: str) -> None:
    """Each type of the table is known, with data and without: an alarm is heard even if it says no more."""
    fields = {
        "measurand": "ch4_lel",
        "value": 27.0,
        "point": "smoke",
        "code": "heater",
        "credential": "C-1",
        "ok": True,
    }
    event = native.event(json.dumps({"type": kind, "seq": 3, "boot": 2, "data": fields}).encode(), "dev-1")
    assert event.type == kind
    assert set(event.data) <= set(fields)
    assert native.event(json.dumps({"type": kind}).encode(), "dev-1").data == {}


def test_status_and_reply_are_read() -> None:
    """The will's payload and an answer to a command."""
    assert native.status(b'{"online": false}', "d") == native.Status(online=False)
    assert native.reply(b'{"id": "01J", "ok": true, "state": "locked"}', "d").state == "locked"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "json"),
        (b"hello", "json"),
        (b'{"v": {"rh": 1}', "json"),
        (b'{"v": {"rh": 1}} x', "json"),
        (b'{"v": {"\xff": 1}}', "json"),
        (b'{"v": {"rh": NaN}}', "json"),
        (b'{"v": {"rh": Infinity}}', "json"),
        (b'{"v": {"rh": 1e999}}', "schema"),
        (b'{"v": {"rh": ' + b"9" * 400 + b"}}", "schema"),
        (b'{"v": {"rh": "1"}}', "schema"),
        (b'{"v": {"rh": true}}', "schema"),
        (b'{"v": {"rh": null}}', "schema"),
        (b'{"v": [1]}', "schema"),
        (b"{}", "schema"),
        (b"null", "schema"),
        (b'{"v": {}, "ts": -1}', "schema"),
        (b'{"v": {}, "ts": 1.5}', "schema"),
        (b'{"v": {}, "seq": 9223372036854775808}', "schema"),
        (b'{"v": {}, "device": 5}', "schema"),
        (b'{"v": {}, "device": "dev-2"}', "identity"),
        (b'{"v": {}, "device_id": "dev-2"}', "identity"),
        (b'[{"v": {}, "device": "dev-1"}, {"v": {}, "device": "dev-2"}]', "identity"),
        (b'{"v": {}}' + b" " * native.MAX_BYTES, "too_large"),
    ],
)
def test_what_wire_md_forbids_has_a_reason(payload: bytes, expected: str) -> None:
    """Broken JSON, wrong shapes, numbers that are not finite, other identities and too many bytes are told apart."""
    assert reason(native.telemetry, payload) == expected


def test_naming_oneself_is_allowed() -> None:
    """A payload that names the device of its topic is read."""
    assert native.telemetry(b'{"v": {}, "device": "dev-1", "device_id": "dev-1"}', "dev-1")
    assert native.event(b'{"type": "mute", "device": "dev-1"}', "dev-1")
    for read, payload in (
        (native.event, b'{"type": "mute", "device": "x"}'),
        (native.status, b'{"online": true, "device": "x"}'),
    ):
        assert reason(read, payload) == "identity"


def test_the_limits_are_exact() -> None:
    """The largest allowed payload, array, measurand count and depth are read; one more is not."""
    bare = b'{"v": {}}'
    assert native.telemetry(bare.ljust(native.MAX_BYTES), "d")
    many = json.dumps([{"v": {}}] * 1000).encode()
    assert len(native.telemetry(many, "d")) == 1000
    assert reason(native.telemetry, json.dumps([{"v": {}}] * 1001).encode()) == "schema"
    assert native.telemetry(json.dumps({"v": {f"m{i}": i for i in range(64)}}).encode(), "d")
    assert reason(native.telemetry, json.dumps({"v": {f"m{i}": i for i in range(65)}}).encode()) == "schema"
    assert native.telemetry(b'{"v": {}, "x": ' + b"[" * 15 + b"]" * 15 + b"}", "d")
    assert reason(native.telemetry, b'{"v": {}, "x": ' + b"[" * 16 + b"]" * 16 + b"}") == "too_deep"


def test_brackets_in_strings_are_not_depth() -> None:
    """Only real nesting counts, with escapes and quotes in the strings."""
    text = json.dumps('[{"\\' * 40)
    assert native.telemetry(b'{"v": {}, "x": ' + text.encode() + b"}", "d")


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 200_000,
        b'{"x":' * 50_000,
        b'"' + b'\\"[' * 80_000,
        b'{"v": {}, "x": "' + b"\\" * 200_000,
        b'"[' * 100_000,
    ],
)
def test_hostile_payloads_are_refused_in_one_pass(payload: bytes) -> None:
    """Bombs of nesting and of escapes neither exhaust the stack nor take quadratic time."""
    for read in READERS:
        assert reason(read, payload) in {"json", "too_deep", "schema"}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    """Arbitrary bytes raise nothing but MalformedPayloadError."""
    assert {reason_or_none(read, payload) for read in READERS} <= {None, "json", "schema", "identity", "too_deep"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["v", "ts", "seq", "boot", "type", "data", "device", "online", "id", "ok", "bat"])


@given(st.dictionaries(FIELDS, JSON | st.sampled_from(sorted(native.EVENTS)), max_size=6))
def test_any_json_with_our_field_names_is_read_or_refused(message: dict[str, Any]) -> None:
    """Messages that look like ours but hold anything raise nothing but MalformedPayloadError."""
    payload = json.dumps(message).encode()
    assert {reason_or_none(read, payload) for read in READERS} <= {None, "schema", "identity", "json"}


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 2**63 - 1))
def test_numbers_arrive_exactly(value: float, seq: int) -> None:
    """A value and a sequence number survive to the last bit."""
    (message,) = native.telemetry(json.dumps({"v": {"x": value}, "seq": seq}).encode(), "d")
    assert (message.v["x"], message.seq) == (value, seq)


def test_what_we_send_is_written_as_wire_md_says() -> None:
    """A receipt is `{"boot": …, "seq": …}`; a command carries its four fields."""
    assert native.encode(native.Receipt(boot=7, seq=1235)) == b'{"boot":7,"seq":1235}'
    assert native.encode(native.Receipt(seq=5)) == b'{"seq":5}'
    command = native.Command(id="01J", type=native.CommandType.VALVE_CLOSE, by="rule:G101", expires=1763900060000)
    assert msgspec.json.decode(native.encode(command)) == {
        "id": "01J",
        "type": "valve.close",
        "by": "rule:G101",
        "expires": 1763900060000,
    }
    assert not any("open" in kind for kind in native.CommandType)
