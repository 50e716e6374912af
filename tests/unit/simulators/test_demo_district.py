"""The demo district is sound by the registers' own rules, whenever it is started, and recognisably invented."""

import datetime as dt
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InputError
from registers.noun import Noun
from registers.nouns import NOUNS
from registers.permit import Permit
from registers.person import Certificate, Welder
from registers.place import Enterprise, Site
from registers.view import LOCAL
from simulators.districts import demo_registers, district_devices

NOW = dt.datetime(2026, 11, 23, 23, 30, tzinfo=LOCAL)


@cache
def registers(now: dt.datetime = NOW) -> dict[str, list[Noun]]:
    return demo_registers(now.date(), now)


def entries(noun: type[Noun]) -> list[Noun]:
    return registers()[noun.noun]


def test_every_register_has_entries_in_reference_order() -> None:
    """All nouns are there, in the order in which they can be stored."""
    assert list(registers()) == list(NOUNS)
    assert all(registers().values())
    assert len(registers()["device"]) >= 40


@pytest.mark.parametrize("noun", list(NOUNS))
def test_references_lead_somewhere_and_keys_are_unique(noun: str) -> None:
    """No entry names a site, model, enterprise or welder that does not exist; no two share what must be unique."""
    rows, cls = registers()[noun], NOUNS[noun]
    for column, target in cls.references.items():
        named = (getattr(row, column) for row in rows)
        keys = {key for value in named if value is not None for key in (value if isinstance(value, tuple) else [value])}
        assert keys <= {row.key for row in registers()[target]}
    for columns in (("key",), *cls.unique):
        assert len({tuple(getattr(row, column) for column in columns) for row in rows}) == len(rows)


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2036, 1, 1), timezones=st.just(LOCAL)))  # noqa: DTZ001  the timezone is given beside
@settings(max_examples=20)
def test_it_is_sound_whenever_the_demo_is_started(now: dt.datetime) -> None:
    """Building checks every rule of the field; and each site with permits has one that is valid at that moment."""
    permits = [p for p in demo_registers(now.date(), now)["permit"] if isinstance(p, Permit)]
    welding_sites = {permit.site for permit in permits}
    assert {p.site for p in permits if p.starts_at <= now < p.ends_at and p.state == "approved"} == welding_sites


def test_permits_follow_each_other_without_a_gap_for_most_of_a_day() -> None:
    """The page may stay open: lawful work stays lawful for 23 hours."""
    permits = [p for p in entries(Permit) if isinstance(p, Permit) and p.site == "works-1" and p.state == "approved"]
    permits.sort(key=lambda permit: permit.starts_at)
    assert all(before.ends_at == after.starts_at for before, after in pairwise(permits))
    assert permits[-1].ends_at - NOW == dt.timedelta(hours=23)


def test_certificates_cover_every_way_to_be_valid_or_not() -> None:
    """The cast has a welder for each finding: valid, pending, suspended, expired, overdue, and one with no certificate."""
    certificates = [c for c in entries(Certificate) if isinstance(c, Certificate)]
    lapses = {certificate.lapses(NOW.date()) for certificate in certificates}
    assert lapses == {None, "pending", "suspended", "expired", "review_overdue"}
    assert {welder.key for welder in entries(Welder)} - {c.welder for c in certificates} == {"W03"}


def test_people_are_recognisably_invented() -> None:
    """Names say so, IDs have the order number 000, telephones begin with 100."""
    for welder in entries(Welder):
        assert isinstance(welder, Welder)
        assert "某" in welder.name
        assert welder.id_number is not None
        assert welder.id_number[14:17] == "000"
        assert str(welder.phone).startswith("100")
    assert all("示例" in e.name for e in entries(Enterprise) if isinstance(e, Enterprise))


def test_sites_lie_in_the_district() -> None:
    """Every site has coordinates within 33.72–33.76 N, 113.26–113.36 E."""
    for site in entries(Site):
        assert isinstance(site, Site)
        assert site.lat is not None
        assert site.lon is not None
        assert 33.72 <= site.lat <= 33.76
        assert 113.26 <= site.lon <= 113.36


def test_devices_are_simulated_by_their_register_entry() -> None:
    """A star means every device in service; a code means that one; an unknown code is refused by name."""
    assert len(district_devices(["*"])) == len(registers()["device"])
    assert [behaviour.path for behaviour in district_devices(["hotpot-ch4-1"])] == ["nanhuan/hotpot-1/hotpot-ch4-1"]
    with pytest.raises(InputError, match="no-such"):
        district_devices(["no-such"])
