"""Fault codes of wire.md that have rules of their own, and which signals speak of them."""

from domain.readings import Quality, Signal

END_OF_LIFE = "end_of_life"
"""A device knows that its sensor is spent."""
BATTERY_LOW = "battery_low"
"""A device found its battery low."""
DISCHARGE = "discharge"
"""The air lock of a deduster does not let the dust out (锁气卸灰故障)."""


def speaks_of(signal: Signal, code: str) -> bool:
    """Tell whether a fresh signal raises or clears this fault; a clear without a code clears all."""
    if signal.quality & Quality.RETAINED:
        return False
    if signal.type == "fault.clear":
        return signal.data.get("code") in (code, None)
    return signal.type == "fault" and signal.data.get("code") == code
