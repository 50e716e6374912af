"""The one place that lists what runs: every detector and correlator, with its parameters, as one engine."""

from detectors.base import Correlator, Detector, World
from detectors.engine import Engine
from detectors.gas import GasThresholds
from detectors.parameters import Overrides, Parameters


def build_detectors(parameters: Parameters) -> list[Detector]:
    """Return a fresh instance of every detector."""
    return [GasThresholds(parameters)]


def build_correlators() -> list[Correlator]:
    """Return a fresh instance of every correlator."""
    return []


def build_engine(world: World, overrides: Overrides | None = None) -> Engine:
    """Return the engine of all rules that are built; raise ConfigurationError when an override is not legal."""
    parameters = Parameters(overrides)
    return Engine(world, build_detectors(parameters), build_correlators())
