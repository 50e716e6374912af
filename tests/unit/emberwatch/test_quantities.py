"""What headers say: quantity by words, unit where it stands, and the factor between; nothing that is not said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measurands import BY_NAME
from emberwatch.backtest.quantities import PLAIN, QUANTITIES, find


@pytest.mark.parametrize(
    ("name", "unit", "measurand", "value", "expected", "rest"),
    [
        ("CH4 (ppm)", "", "ch4_ppm", 2.0, 2.0, ""),
        ("Methane [ppb]", "", "ch4_ppm", 2000.0, 2.0, ""),
        ("甲烷（%LEL）", "", "ch4_lel", 5.0, 5.0, ""),
        ("CH4", "%VOL", "ch4_lel", 2.5, 50.0, ""),
        ("east_ch4_ppm", "", "ch4_ppm", 2.0, 2.0, "east"),
        ("LPG %LEL", "", "c3h8_lel", 5.0, 5.0, ""),
        ("CO_bedroom", "ppm", "co_ppm", 9.0, 9.0, "bedroom"),
        ("CO1", "mol/mol", "co_ppm", 1e-5, 10.0, "1"),
        ("一氧化碳 ppm", "", "co_ppm", 9.0, 9.0, ""),
        ("H2S (ppm)", "", "h2s_ppm", 1.0, 1.0, ""),
        ("O2", "%", "o2_vol", 20.9, 20.9, ""),
        ("Temp (°F)", "", "temp_c", 212.0, 100.0, ""),
        ("T_kitchen temperature [K]", "", "temp_c", 273.15, 0.0, "t_kitchen"),
        ("温度℃", "", "temp_c", 20.0, 20.0, ""),
        ("TC 3", "C", "temp_c", 20.0, 20.0, "3"),
        ("Smoke", "%/ft", "smoke_pct", 1.0, 3.28, ""),
        ("Optical Density (1/m)", "", "smoke_dbm", 1.0, 4.343, ""),
        ("Relative Humidity (%)", "", "rh", 40.0, 40.0, "relative"),
        ("Arc Voltage (V)", "", "voltage_v", 24.0, 24.0, "arc"),
        ("Strom [A]", "", "current_a", 180.0, 180.0, ""),
        ("电流/A", "", "current_a", 180.0, 180.0, ""),
        ("剩余电流(mA)", "", "residual_ma", 30.0, 30.0, ""),
        ("Active Power (W)", "", "power_kw", 1500.0, 1.5, "active"),
        ("Power_kW", "", "power_kw", 1.5, 1.5, ""),
        ("roomTemp (degC)", "", "temp_c", 20.0, 20.0, "room"),
        ("TC1", "(deg C)", "temp_c", 20.0, 20.0, "1"),
        ("Voltage_a", "", "voltage_v", 230.0, 230.0, "a"),
        ("current_mA", "", PLAIN, 450.0, 450.0, "current_mA"),
        ("Line Voltage kV", "", PLAIN, 10.0, 10.0, "Line Voltage kV"),
    ],
)
def test_a_header_names_quantity_and_unit(
    name: str, unit: str, measurand: str, value: float, expected: float, rest: str
) -> None:
    """In brackets, at the end, or in a row of units; what remains names the place."""
    found = find(name, unit)
    assert (found.measurand, found.rest) == (measurand, rest)
    assert value * found.factor + found.offset == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    [
        "value",
        "CO2 (ppm)",
        "eCO2[ppm]",
        "CH4",
        "CO",
        "Raw H2",
        "power",
        "Company ppm",
        "Pressure (hPa)",
        "wind_speed (m/s)",
    ],
)
def test_what_a_header_does_not_say_is_not_guessed(name: str) -> None:
    """Another gas, a gas without a unit, a word that only holds the letters."""
    found = find(name, "")
    assert (found.measurand, found.factor, found.offset, found.rest) == (PLAIN, 1, 0, name)


def test_every_conversion_leads_to_a_measurand() -> None:
    """A slip in the table would be a KeyError at somebody's desk."""
    assert {to[0] for _, units in QUANTITIES for to in units.values()} <= BY_NAME.keys()


@given(st.text(max_size=30), st.text(max_size=6))
def test_any_header_means_something(name: str, unit: str) -> None:
    """At least a plain number."""
    assert find(name, unit).measurand in BY_NAME
