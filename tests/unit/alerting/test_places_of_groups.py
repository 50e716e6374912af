"""A notice about a whole site or area calls it by name, not by a dash."""

import pytest

from alerting.directory import Directory
from storage.sql.registers import SqlRegisters


@pytest.mark.parametrize(
    ("path", "site_name", "device_name"),
    [("weidong/-/-", "全部场所", "全部设备"), ("weidong/unknown/-", "unknown", "全部设备")],
)
def test_a_group_is_called_by_what_it_is(registers: SqlRegisters, path: str, site_name: str, device_name: str) -> None:
    """All devices of a site, all sites of an area."""
    area, site, _ = path.split("/")
    place = Directory(registers).place({"area": area, "site": site, "device": path, "rule": "D101"})
    assert (place.site_name, place.device_name) == (site_name, device_name)
