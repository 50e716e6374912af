"""Topics of wire.md: what is built is parsed back, and nothing else is a topic."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MalformedPayloadError
from domain.places import DevicePath
from ingest.topics import Kind, Topic, alarm_topic, topic

NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True).filter(lambda name: name != "-")


@given(NAMES, NAMES, NAMES, st.sampled_from(Kind))
def test_a_topic_survives_being_written(area: str, site: str, device: str, kind: Kind) -> None:
    """Every topic of legal names is parsed back as what it was built from."""
    built = Topic(DevicePath(area, site, device), kind)
    assert Topic.parse(str(built)) == built
    assert topic(f"{area}/{site}/{device}", kind) == str(built)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "safety/v1/a/s/d",
        "safety/v1/a/s/d/telemetry/more",
        "safety/v2/a/s/d/telemetry",
        "other/v1/a/s/d/telemetry",
        "safety/v1/a/s/d/gossip",
        "safety/v1//s/d/telemetry",
        "safety/v1/a/s/" + "d" * 65 + "/telemetry",
        "safety/v1/a/s/阀/telemetry",
        "safety/v1/a/s/d\n/telemetry",
        "safety/v1/+/s/d/telemetry",
        "/safety/v1/a/s/telemetry",
        "safety/v1/a/s/-/telemetry",
        "safety/v1/a/-/d/telemetry",
        "safety/v1/-/s/d/telemetry",
    ],
)
def test_illegal_topics_are_refused(text: str) -> None:
    """A wrong prefix, kind, level count or name is a MalformedPayloadError with reason `topic`."""
    with pytest.raises(MalformedPayloadError) as caught:
        Topic.parse(text)
    assert caught.value.reason == "topic"


@given(st.text())
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    """Parsing never raises anything else."""
    with contextlib.suppress(MalformedPayloadError):
        assert str(Topic.parse(text)) == text


def test_alarms_have_a_topic_of_their_own() -> None:
    """Other departments subscribe outside the devices' tree."""
    assert alarm_topic("a", "s") == "emberwatch/v1/a/s/alarm"
