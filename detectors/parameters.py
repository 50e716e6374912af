"""The numbers rules run with: the catalogue's defaults, overridden by settings that name a rule and a parameter."""

import difflib
from collections.abc import Iterable, Mapping

from detectors.catalogue import CATALOGUE
from detectors.rule import Parameter, Rule
from domain.errors import ConfigurationError

Overrides = Mapping[str, Mapping[str, float]]
"""Rule code → parameter name → value, e.g. `{"G105": {"k": 0.5}}`."""


class Parameters:
    """Resolved values of every rule; raises ConfigurationError for an unknown rule or name, or a value out of range."""

    def __init__(self, overrides: Overrides | None = None) -> None:
        self._values = {code: {p.name: p.default for p in rule.parameters} for code, rule in CATALOGUE.items()}
        for code, values in (overrides or {}).items():
            if code not in CATALOGUE:
                raise ConfigurationError(f"rules: no rule '{code}'{_nearest(code, CATALOGUE)}")
            self._override(CATALOGUE[code], values)

    def _override(self, rule: Rule, values: Mapping[str, float]) -> None:
        known = {p.name: p for p in rule.parameters}
        for name, value in values.items():
            if name not in known:
                raise ConfigurationError(f"rules.{rule.code}: no parameter '{name}'{_nearest(name, known)}")
            self._values[rule.code][name] = _checked(rule.code, known[name], value)

    def of(self, code: str) -> Mapping[str, float]:
        """Return the values of one rule by parameter name."""
        return self._values[code]


def _checked(code: str, parameter: Parameter, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not parameter.low <= value <= parameter.high:
        raise ConfigurationError(
            f"rules.{code}.{parameter.name} = {value!r}: must be a number from {parameter.low:g} to"
            f" {parameter.high:g} {parameter.unit}"
        )
    return float(value)


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.4)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f" (known: {', '.join(names) or 'none'})"
