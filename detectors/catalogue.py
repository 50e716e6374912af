"""Every rule of the house by its code, in the order of the rule book; what the ledger must know of each is `policies()`."""

from detectors.rule import Rule
from detectors.rules.cross import CROSS
from detectors.rules.devices import DEVICES
from detectors.rules.electricity import ELECTRICITY
from detectors.rules.fire import FIRE
from detectors.rules.gas import GAS
from detectors.rules.sources import SOURCES
from detectors.rules.statistics import STATISTICS
from detectors.rules.welding import WELDING
from ledger.policy import RulePolicy

CATALOGUE: dict[str, Rule] = {
    rule.code: rule for rule in (*GAS, *FIRE, *WELDING, *CROSS, *DEVICES, *STATISTICS, *ELECTRICITY, *SOURCES)
}
"""Code → rule."""


def policies() -> dict[str, RulePolicy]:
    """Return what the books need: title, grade, basis and whether an operator may shelve the rule's alarms."""
    return {
        rule.code: RulePolicy(rule.code, rule.title, rule.grade, str(rule.basis), rule.shelvable)
        for rule in CATALOGUE.values()
    }
