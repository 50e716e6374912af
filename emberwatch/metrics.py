"""What operators see in Prometheus: read from the parts at each scrape, so that nothing is counted on the hot path.

The invariant is `received = decoded + dead + duplicate + thinned + in_flight`, all since the journal began. `in_flight` is what
is left over; `journal_lag_records` is measured apart from it, so that the two at rest (both 0) prove that nothing was lost.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from ledger.books import Counts


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at all parts; taken in this order of trust: books first, journal after, so in_flight is never negative."""

    counts: Counts
    received: int
    lag_records: int
    journal_bytes: int
    messages: int
    reconnects: int
    connected: bool
    history_queued: int
    history_healthy: bool
    history_missed: int = 0
    letters_dropped: int = 0
    broker_restarts: int = 0
    broker_dropped: int = 0
    broker_held: int = 0
    overloaded: bool = False
    disk_free: int = 0
    disk_low: bool = False
    devices: Mapping[str, int] = field(default_factory=dict)
    alarms: Mapping[int, int] = field(default_factory=dict)
    hazards: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_flight(self) -> int:
        """Messages received but not accounted for yet."""
        return self.received - self.counts.accounted


class ServiceCollector(Collector):
    """Turns a Reading into metric families at each scrape."""

    def __init__(self, look: Callable[[], Reading]) -> None:
        self._look = look

    def describe(self) -> Iterator[Metric]:
        """Say nothing in advance: a look at registration would be too early."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        look = self._look()
        yield _counter("received", "Messages of devices taken in, ever.", look.received)
        outcomes = CounterMetricFamily(
            "emberwatch_records", "Messages of devices by what became of them.", labels=["outcome"]
        )
        for name in ("decoded", "dead", "duplicate", "thinned"):
            outcomes.add_metric([name], getattr(look.counts, name))
        yield outcomes
        yield _gauge("records_in_flight", "Messages received and not yet accounted for.", look.in_flight)
        yield _gauge("journal_lag_records", "Records the pipeline has not committed yet.", look.lag_records)
        yield _gauge("journal_bytes", "Size of the journal on disk.", look.journal_bytes)
        yield _counter("collector_messages", "Messages taken off MQTT since start.", look.messages)
        yield _counter("collector_reconnects", "Broken broker sessions since start.", look.reconnects)
        yield _counter("broker_restarts", "Times the embedded broker died and was started again.", look.broker_restarts)
        yield _gauge("broker_connected", "1 while the broker session is up.", look.connected)
        yield _counter(
            "broker_dropped", "Messages the broker says it has dropped since its start.", look.broker_dropped
        )
        yield _gauge("broker_held_messages", "Messages the broker stores now, for us and others.", look.broker_held)
        yield _gauge("overloaded", "1 while routine telemetry is thinned at the door.", look.overloaded)
        yield _gauge("disk_free_bytes", "Free space where the journal is.", look.disk_free)
        yield _gauge("disk_low", "1 while old messages and readings give way before their time.", look.disk_low)
        yield _gauge("history_queued_readings", "Readings waiting for the history store.", look.history_queued)
        yield _gauge("history_healthy", "1 while the history store takes readings.", look.history_healthy)
        yield _counter(
            "history_missed_records", "Messages that gave way before the history store had them.", look.history_missed
        )
        yield _labelled("devices", "Registered devices by state.", "state", look.devices)
        yield _labelled("alarms_open", "Open alarms by severity (1 gravest).", "severity", look.alarms)
        yield _labelled("hazards_open", "Open hazards by state.", "state", look.hazards)
        yield _labelled("notices", "Notices by state.", "state", look.outbox)
        yield _counter("dead_letters_dropped", "Dead letters that gave way before their time.", look.letters_dropped)
        yield _labelled("dead_letters", "Dead letters held, by reason.", "reason", look.dead_letters)


def build_registry(look: Callable[[], Reading]) -> CollectorRegistry:
    """Return a registry of our own (nothing global) that reads `look` at each scrape."""
    registry = CollectorRegistry()
    registry.register(ServiceCollector(look))
    return registry


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"emberwatch_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"emberwatch_{name}", text, value=float(value))


def _labelled(name: str, text: str, label: str, values: Mapping[str, int] | Mapping[int, int]) -> Metric:
    family = GaugeMetricFamily(f"emberwatch_{name}", text, labels=[label])
    for key, value in sorted(values.items(), key=lambda item: str(item[0])):
        family.add_metric([str(key)], value)
    return family
