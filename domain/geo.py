"""Distances between places on the ground, for geofences and for what lies close to what."""

from typing import Any

import numpy as np

EARTH_M = 6_371_009.0
"""Mean radius."""

Place = tuple[float, float]
"""Latitude and longitude in degrees, WGS-84."""


def distance_m(lat: Any, lon: Any, to_lat: Any, to_lon: Any) -> Any:
    """Return the distance in metres of two places in degrees (numbers or arrays), by the haversine formula."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half_phi, half_lambda = (to_phi - phi) / 2, np.radians(np.subtract(to_lon, lon)) / 2
    h = np.sin(half_phi) ** 2 + np.cos(phi) * np.cos(to_phi) * np.sin(half_lambda) ** 2
    return 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))


def apart_m(a: Place, b: Place) -> float:
    """Return the distance of two places in metres."""
    return float(distance_m(*a, *b))
