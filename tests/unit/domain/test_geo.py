"""Distances on the ground."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo import EARTH_M, apart_m, distance_m

_places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def test_a_minute_of_latitude_is_a_nautical_mile() -> None:
    """1,853 m on a sphere of mean radius."""
    assert apart_m((33.0, 113.0), (33.0 + 1 / 60, 113.0)) == pytest.approx(1853, abs=1)


def test_a_degree_of_longitude_shrinks_with_the_latitude() -> None:
    """At 60 degrees it is half of that at the equator."""
    ratio = apart_m((60.0, 10.0), (60.0, 11.0)) / apart_m((0.0, 10.0), (0.0, 11.0))
    assert ratio == pytest.approx(0.5, abs=1e-4)


@given(_places, _places)
def test_it_is_a_distance(a: tuple[float, float], b: tuple[float, float]) -> None:
    """Symmetric, nought for one place, never more than half way round."""
    assert apart_m(a, b) == pytest.approx(apart_m(b, a), abs=1e-6)
    assert apart_m(a, a) == 0
    assert 0 <= apart_m(a, b) <= np.pi * EARTH_M + 1


def test_many_at_once_are_the_same() -> None:
    """Arrays and numbers go through one formula."""
    lat, lon = np.array([33.7, 33.8]), np.array([113.3, 113.4])
    each = [apart_m((33.7, 113.3), place) for place in zip(lat.tolist(), lon.tolist(), strict=True)]
    assert distance_m(33.7, 113.3, lat, lon).tolist() == each
