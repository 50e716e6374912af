"""What can be measured, in one table: a new measurand is one line here."""

from enum import StrEnum
from typing import NamedTuple


class Family(StrEnum):
    """What a measurand is watched for."""

    COMBUSTIBLE = "combustible"
    TOXIC = "toxic"
    OXYGEN = "oxygen"
    FIRE = "fire"
    ELECTRIC = "electric"
    PROCESS = "process"
    PLACE = "place"
    DEVICE = "device"


class Measurand(NamedTuple):
    """One quantity: its column (index in arrays), wire name, unit, family and Chinese name."""

    column: int
    name: str
    unit: str
    family: Family
    title: str


# Append only: the position is the index stored in journals' snapshots and history.
_TABLE: tuple[tuple[str, str, Family, str], ...] = (
    ("ch4_ppm", "ppm", Family.COMBUSTIBLE, "甲烷"),
    ("ch4_lel", "%LEL", Family.COMBUSTIBLE, "甲烷"),
    ("c3h8_lel", "%LEL", Family.COMBUSTIBLE, "丙烷"),
    ("h2_lel", "%LEL", Family.COMBUSTIBLE, "氢气"),
    ("lel", "%LEL", Family.COMBUSTIBLE, "可燃气体"),
    ("co_ppm", "ppm", Family.TOXIC, "一氧化碳"),
    ("h2s_ppm", "ppm", Family.TOXIC, "硫化氢"),
    ("nh3_ppm", "ppm", Family.TOXIC, "氨"),
    ("cl2_ppm", "ppm", Family.TOXIC, "氯"),
    ("o2_vol", "%VOL", Family.OXYGEN, "氧气"),
    ("temp_c", "°C", Family.FIRE, "温度"),
    ("rh", "%", Family.PROCESS, "相对湿度"),
    ("smoke_dbm", "dB/m", Family.FIRE, "烟雾减光率"),
    ("smoke_pct", "%/m", Family.FIRE, "烟雾遮光率"),
    ("flame", "0..1", Family.FIRE, "火焰"),
    ("current_a", "A", Family.ELECTRIC, "电流"),
    ("voltage_v", "V", Family.ELECTRIC, "电压"),
    ("power_kw", "kW", Family.ELECTRIC, "功率"),
    ("energy_kwh", "kWh", Family.ELECTRIC, "电量"),
    ("residual_ma", "mA", Family.ELECTRIC, "剩余电流"),
    ("level_pct", "%", Family.PROCESS, "液位"),
    ("pressure_kpa", "kPa", Family.PROCESS, "压力"),
    ("flow_m3h", "m³/h", Family.PROCESS, "流量"),
    ("hopper_temp_c", "°C", Family.PROCESS, "灰斗温度"),
    ("dp_pa", "Pa", Family.PROCESS, "压差"),
    ("lat", "°", Family.PLACE, "纬度"),
    ("lon", "°", Family.PLACE, "经度"),
    ("valve", "0/1", Family.PROCESS, "阀门"),
    ("speed", "m/s", Family.PLACE, "速度"),
    ("battery_pct", "%", Family.DEVICE, "电池电量"),
    ("fan", "0/1", Family.PROCESS, "风机运行"),
    ("running", "0/1", Family.PROCESS, "生产设备运行"),
    ("value", "", Family.PROCESS, "数值"),  # a quantity of which nothing else is known: judged by its own history alone
)

MEASURANDS: tuple[Measurand, ...] = tuple(Measurand(i, *row) for i, row in enumerate(_TABLE))
BY_NAME: dict[str, Measurand] = {m.name: m for m in MEASURANDS}
INDEX: dict[str, int] = {m.name: m.column for m in MEASURANDS}
COUNT = len(MEASURANDS)


def indices(*families: Family) -> tuple[int, ...]:
    """Return the indices of all measurands of the families, in table order."""
    return tuple(m.column for m in MEASURANDS if m.family in families)
