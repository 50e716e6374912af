"""The topics of our own convention (docs/reference/wire.md): built and parsed in one place."""

from enum import StrEnum
from typing import NamedTuple

from domain.errors import InputError, MalformedPayloadError
from domain.places import ALL, DevicePath

_PREFIX = ("safety", "v1")
_LEVELS = 6


class Kind(StrEnum):
    """The last level of a device's topic; devices publish the first four, the others are ours."""

    TELEMETRY = "telemetry"
    EVENT = "event"
    STATUS = "status"
    REPLY = "reply"
    RECEIPT = "receipt"
    COMMAND = "command"


class Topic(NamedTuple):
    """Who and what: `safety/v1/{area}/{site}/{device}/{kind}`."""

    path: DevicePath
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> "Topic":
        """Return the topic; raise MalformedPayloadError (reason `topic`) when it is not one of ours."""
        levels = text.split("/")
        if len(levels) != _LEVELS or tuple(levels[:2]) != _PREFIX:
            raise MalformedPayloadError("topic", "not safety/v1/{area}/{site}/{device}/{kind}")
        if ALL in levels:
            raise MalformedPayloadError("topic", f"'{ALL}' stands for all of them and names nobody")
        try:
            return cls(DevicePath.of(*levels[2:5]), Kind(levels[5]))
        except (InputError, ValueError) as error:
            raise MalformedPayloadError("topic", str(error)) from error

    def __str__(self) -> str:
        return topic(str(self.path), self.kind)


def topic(path: str, kind: Kind) -> str:
    """Return the topic of a device path written `area/site/device`."""
    return f"{_PREFIX[0]}/{_PREFIX[1]}/{path}/{kind}"


def alarm_topic(area: str, site: str) -> str:
    """Return where alarm transitions of a site are published for other departments' systems."""
    return f"emberwatch/v1/{area}/{site}/alarm"
