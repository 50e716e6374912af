"""What a column's header says it measures: quantity by its words, unit by its row, its brackets or the name's end.

A quantity whose unit is not known is a plain one (`value`), for a wrong unit makes a wrong alarm.
"""

import re
from typing import NamedTuple

PLAIN = "value"
To = tuple[str, float, float]
"""A measurand, and the factor and offset that bring a value to its unit."""

_AS_WRITTEN = {
    "ppm": "ppm ppmv",
    "ppb": "ppb ppbv",
    "%lel": "%lel lel lel%",
    "%": "% %vol vol% pct percent %rh",
    "c": "c °c ℃ degc degreec degreesc celsius",
    "f": "f °f ℉ degf fahrenheit",
    "k": "k kelvin",
    "%/m": "%/m %m",
    "%/ft": "%/ft",
    "db/m": "db/m",
    "od/m": "od/m",
    "1/m": "1/m m-1 m^-1",
    "mol/mol": "mol/mol v/v vol/vol",
    "a": "a amp amps ampere 安",
    "ma": "ma",
    "v": "v volt volts 伏",
    "mv": "mv",
    "kv": "kv",
    "ka": "ka",
    "w": "w watt watts",
    "kw": "kw kilowatt 千瓦",
}
_UNITS = {written: unit for unit, forms in _AS_WRITTEN.items() for written in forms.split()}
_QUANTITIES: tuple[tuple[str, str, dict[str, To]], ...] = (
    (
        "ch4|methane|natural[ _]gas",
        "甲烷|天然气",
        {"ppm": ("ch4_ppm", 1, 0), "ppb": ("ch4_ppm", 1e-3, 0), "%lel": ("ch4_lel", 1, 0), "%": ("ch4_lel", 20, 0)},
    ),
    ("c3h8|propane|lpg", "丙烷|液化", {"%lel": ("c3h8_lel", 1, 0), "ppm": ("c3h8_lel", 1 / 210, 0)}),
    ("h2|hydrogen", "氢气", {"%lel": ("h2_lel", 1, 0), "ppm": ("h2_lel", 1 / 400, 0)}),
    (
        "co(?!_?2)|carbon[ _]monoxide",
        "一氧化碳",
        {"ppm": ("co_ppm", 1, 0), "ppb": ("co_ppm", 1e-3, 0), "%": ("co_ppm", 1e4, 0), "mol/mol": ("co_ppm", 1e6, 0)},
    ),
    ("h2s|hydrogen[ _]sul(f|ph)ide", "硫化氢", {"ppm": ("h2s_ppm", 1, 0), "ppb": ("h2s_ppm", 1e-3, 0)}),
    ("nh3|ammonia", "氨", {"ppm": ("nh3_ppm", 1, 0), "ppb": ("nh3_ppm", 1e-3, 0)}),
    ("cl2|chlorine", "氯气", {"ppm": ("cl2_ppm", 1, 0), "ppb": ("cl2_ppm", 1e-3, 0)}),
    ("o2|oxygen", "氧", {"%": ("o2_vol", 1, 0), "mol/mol": ("o2_vol", 100, 0)}),
    (
        "smoke|obscuration|optical[ _]density|extinction|od",
        "烟|减光",
        {
            "%/m": ("smoke_pct", 1, 0),
            "%/ft": ("smoke_pct", 3.28, 0),  # for the small values that matter
            "db/m": ("smoke_dbm", 1, 0),
            "od/m": ("smoke_dbm", 10, 0),
            "1/m": ("smoke_dbm", 4.343, 0),  # extinction coefficient: 10 / ln 10
        },
    ),
    (
        "temp(eraturs?|eratures?)?|thermocouple|tc",
        "温度|气温",
        {"c": ("temp_c", 1, 0), "f": ("temp_c", 5 / 9, -160 / 9), "k": ("temp_c", 1, -273.15), "": ("temp_c", 1, 0)},
    ),
    ("rh|humidity", "湿度", {"%": ("rh", 1, 0)}),
    ("(residual|leakage)[ _]current", "剩余电流|漏电", {"ma": ("residual_ma", 1, 0), "a": ("residual_ma", 1e3, 0)}),
    (r"\w*current|amps?|i|\w*strom", "电流", {"a": ("current_a", 1, 0), "": ("current_a", 1, 0)}),
    (r"\w*voltage|volts?|u|v|\w*spannung", "电压", {"v": ("voltage_v", 1, 0), "": ("voltage_v", 1, 0)}),
    (r"\w*power|load|demand", "功率|负荷", {"w": ("power_kw", 1e-3, 0), "kw": ("power_kw", 1, 0)}),
    ("lel|combustible|gas|conc(entration)?", "可燃|浓度|燃气", {"%lel": ("lel", 1, 0)}),
)
"""Words (whole ones in Latin letters), Chinese words, and what each unit comes to; "" where no unit is named. First fit wins."""
QUANTITIES = tuple(
    (re.compile(rf"(?<![a-z])({latin})(?![a-z])|{chinese}"), units) for latin, chinese, units in _QUANTITIES
)
_NEVER_A_NAME = frozenset(("ma", "ka", "mv", "kv"))
"""Units that make another thing of a number at the end of a header; a letter alone may be a phase's."""
_BRACKET = re.compile(r"[(\[（【]\s*([^)\]）】]*?)\s*[)\]）】]")
_TAIL = re.compile(r"(.*?)[\s_/.-]*([^\s_/.-]+|℃|%)", re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")


class Found(NamedTuple):
    """What a header says: the measurand with factor and offset to its unit (PLAIN: nothing known), and the name that remains."""

    measurand: str
    factor: float
    offset: float
    rest: str


def find(name: str, unit: str) -> Found:
    """Return what a header says, with the unit of its row if there is one."""
    words, unit = named(name, unit)
    for pattern, units in QUANTITIES:
        match = pattern.search(words)
        if match is None:
            continue
        rest = words[: match.start()] + " " + words[match.end() :]
        unit = "".join(unit.split())
        to = units.get(_UNITS.get(unit, unit)) if unit else None
        if not unit:
            rest, to = _by_tail(units, rest)
        if to is not None:
            return Found(*to, rest.strip(" _-/.,:#"))
    return Found(PLAIN, 1, 0, name)


def _by_tail(units: dict[str, To], rest: str) -> tuple[str, To | None]:
    """Return what remains of the name, and the measurand by the unit at its end or, without one, by what is usual."""
    tail = _TAIL.fullmatch(rest.strip())
    unit = _UNITS.get(tail[2]) if tail else None
    if tail and unit in units:
        return tail[1], units[unit or ""]
    return rest, None if unit in _NEVER_A_NAME else units.get("")


def named(name: str, said: str = "") -> tuple[str, str]:
    """Return the header's words in lower case without the unit, and the unit: of its row, or in brackets."""
    bracket = _BRACKET.search(name)
    unit = said.strip(" ()[]") or (bracket[1] if bracket else "")
    words = name[: bracket.start()] + " " + name[bracket.end() :] if bracket else name
    return _CAMEL.sub("_", words).lower().strip(), unit.lower()


def last_word(name: str) -> str:
    """Return the end of a header, which may be a unit."""
    tail = _TAIL.fullmatch(name.lower())
    return tail[2] if tail else ""
