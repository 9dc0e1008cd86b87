"""Satellites by vectors: propagate, turn the earth, look up. Neither jax nor qtn."""

import numpy as np

RADIUS, GRAVITY, TURN = 6.371e6, 3.986004418e14, 7.2921159e-5


def about_x(angle):
    """Rotation matrix about the x axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_z(angle):
    """Rotation matrix about the z axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def vectors(time, altitude, inclination, raan, phase, latitude, longitude, turn):
    """Return satellite (3, t) [m] and the direction of the zenith (3, t)."""
    r = RADIUS + altitude
    u = phase + np.sqrt(GRAVITY / r**3) * time
    satellite = r * (about_z(raan) @ about_x(inclination) @ np.stack([np.cos(u), np.sin(u), 0 * u]))
    east = longitude + turn * time
    up = np.stack([np.cos(latitude) * np.cos(east), np.cos(latitude) * np.sin(east), np.sin(latitude) + 0 * east])
    return satellite, up


def azimuth(time, altitude, inclination, raan, phase, latitude, longitude, turn=TURN):
    """Return the direction of the satellite from north over east [rad]."""
    satellite, up = vectors(time, altitude, inclination, raan, phase, latitude, longitude, turn)
    away = satellite - RADIUS * up
    east = np.cross([0.0, 0.0, 1.0], up.T).T
    east = east / np.sqrt(np.sum(east**2, axis=0))
    north = np.cross(up.T, east.T).T
    return np.arctan2(np.sum(away * east, axis=0), np.sum(away * north, axis=0))


def look(time, altitude, inclination, raan, phase, latitude, longitude, turn=TURN):
    """Return elevation [rad] and distance [m] at times [s]."""
    satellite, up = vectors(time, altitude, inclination, raan, phase, latitude, longitude, turn)
    away = satellite - RADIUS * up
    distance = np.sqrt(np.sum(away**2, axis=0))
    return np.arcsin(np.sum(away * up, axis=0) / distance), distance


def seen_intervals(step, start, end, mask, **numbers):
    """Return (k, 2), when the satellite stands above the mask, on a grid with lines drawn between its points."""
    edges = []
    for first in np.arange(start, end, 20_000 * step):
        time = first + step * np.arange(20_001)
        time = time[time <= end + step / 2]
        height = np.sin(look(time, **numbers)[0]) - np.sin(mask)
        if first == start and height[0] > 0:
            edges.append(start)
        at = np.flatnonzero((height[1:] > 0) != (height[:-1] > 0))
        edges += list(time[at] - height[at] * step / (height[at + 1] - height[at]))
        last = height[-1]
    if last > 0:
        edges.append(end)
    return np.array(edges).reshape(-1, 2)


def sun_elevation(time, latitude, longitude, season, time_of_day, turn=TURN):
    """Return the elevation of the sun [rad]: it stands over the meridian that has noon at time 0, and moves on."""
    tilt = np.radians(23.4393)

    def direction(along):
        return about_x(tilt) @ np.array([np.cos(along), np.sin(along), 0.0])

    first = direction(season)
    noon = np.pi - 2 * np.pi * time_of_day / 86_400  # longitude of noon at time 0
    offset = np.arctan2(first[1], first[0]) - noon  # right ascension of Greenwich at time 0
    found = []
    for t in np.atleast_1d(time):
        sun = direction(season + 2 * np.pi * t / (365.2564 * 86_400))
        east = longitude + offset + turn * t
        up = [np.cos(latitude) * np.cos(east), np.cos(latitude) * np.sin(east), np.sin(latitude)]
        found.append(np.arcsin(sun @ np.array(up)))
    return np.array(found)
