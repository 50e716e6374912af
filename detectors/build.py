"""The one place that lists what runs: every detector and correlator, with its parameters, as one engine."""

from detectors.ageing import ServiceLife
from detectors.base import Correlator, Detector, World
from detectors.battery import Battery
from detectors.carbonmonoxide import CarbonMonoxide
from detectors.commands import Commands
from detectors.corroboration import Corroboration
from detectors.cross import fire_in_gas, hot_work_in_gas, hot_work_unwatched
from detectors.dedusters import Dedusters
from detectors.electricfire import ElectricFire
from detectors.engine import Engine
from detectors.faults import Faults
from detectors.fire import FireAlarm
from detectors.fireconfirmed import FireConfirmed
from detectors.firecover import FireCover
from detectors.firegrowth import FireGrowth
from detectors.gas import GasThresholds
from detectors.hoppers import Hoppers
from detectors.identity import Identity
from detectors.load import Load
from detectors.ourselves import Ourselves
from detectors.parameters import Overrides, Parameters
from detectors.presence import Silence
from detectors.rising import Rising
from detectors.soundness import Soundness
from detectors.strangers import Strangers
from detectors.tampering import Tampering
from detectors.tanks import Tanks
from detectors.unusual import ANY_RULE, GAS_RULE, Unusual
from detectors.valves import Valves
from detectors.welding.detector import Welding
from detectors.welding.meters import SupplyMeters


def build_detectors(parameters: Parameters) -> list[Detector]:
    """Return a fresh instance of every detector."""
    return [
        GasThresholds(parameters),
        Rising(parameters),
        CarbonMonoxide(parameters),
        Valves(parameters),
        Unusual(GAS_RULE, parameters),
        Unusual(ANY_RULE, parameters),
        FireAlarm(),
        FireGrowth(parameters),
        FireCover(),
        Welding(parameters),
        SupplyMeters(parameters),
        Silence(parameters),
        Strangers(),
        Faults(),
        ServiceLife(parameters),
        Tampering(parameters),
        Identity(parameters),
        Battery(parameters),
        Commands(),
        Soundness(parameters),
        Tanks(parameters),
        Hoppers(parameters),
        Dedusters(parameters),
        ElectricFire(parameters),
        Load(parameters),
        Ourselves(),
    ]


def build_correlators(parameters: Parameters) -> list[Correlator]:
    """Return a fresh instance of every correlator."""
    return [
        Corroboration(parameters),
        FireConfirmed(parameters),
        hot_work_in_gas(parameters),
        hot_work_unwatched(),
        fire_in_gas(),
    ]


def build_engine(world: World, overrides: Overrides | None = None) -> Engine:
    """Return the engine of all rules that are built; raise ConfigurationError when an override is not legal."""
    parameters = Parameters(overrides)
    return Engine(world, build_detectors(parameters), build_correlators(parameters))
