"""When a simulated device looks: each second while something happens around it, else only when its report is due.

The physics is solved exactly, so what a device sees does not depend on how often it looks; only a long run gets shorter.
"""

from dataclasses import dataclass

from simulators.incidents import Timetable, happens_near

_SAMPLE_S = 1.0
_SETTLES_S = 600.0
"""What an incident leaves in a room and in a sensor is gone by then."""


@dataclass(slots=True)
class Sampling:
    """The next look and the next report of one device, in seconds of the scenario; both may be due at once.

    `brisk_s`: reports come this often while something happens around the device, as makes do that save their battery.
    """

    incidents: Timetable
    interval_s: float
    brisk_s: float | None
    now_s: float
    due_s: float

    def step(self) -> float:
        """Go on to the next look; return how far that is."""
        near = happens_near(self.incidents.near(self.now_s), self.now_s, self.interval_s, _SETTLES_S)
        to_report_s = self.due_s - self.now_s
        step_s = _SAMPLE_S if near else (to_report_s if to_report_s > 0 else self.interval_s)
        if near and self.brisk_s is not None:
            self.due_s = min(self.due_s, self.now_s + self.brisk_s)
        self.now_s += step_s
        return step_s

    def is_due(self) -> bool:
        """Tell whether a report is due now."""
        return self.now_s >= self.due_s

    def reported(self) -> None:
        """Take note that a report goes out now."""
        self.due_s = self.now_s + self.interval_s
