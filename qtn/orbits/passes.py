"""Passes of satellites over stations: when they rise and set, and where they stand in between.

    orbit, station -> brackets of passes (`find_windows`, once) -> rise and set as roots -> nodes within each pass

Rise and set are roots of cos(angle) - cos(horizon), differentiated by the implicit function theorem; between them stand
the nodes of a Gauss-Legendre rule, whose weights (the dwell) add up to the length of the pass.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _budget, _checks
from qtn._array import Array, library
from qtn._pytree import pytree, static
from qtn.hardware.earth import EARTH_RADIUS, mask_angle, range_from
from qtn.orbits import windows
from qtn.orbits.crossings import crossings
from qtn.orbits.night import Night, sun_height
from qtn.orbits.orbit import EARTH_ROTATION, Orbit, Station, bend, cosine, horizon, orbit, station
from qtn.orbits.sight import distance_to, elevation_of

NUM_NODES = 32
"""Nodes within a pass: integrals of what varies smoothly along it are right to some 1e-10."""

MOST_NODES = 2_000
"""Most of them: finding those of a Gauss-Legendre rule takes the cube of their number."""

FARTHEST = 1e11
"""Most seconds from t = 0 at which passes are looked for: clocks of 64 bits then still show 0.1 ms [s]."""

MOST = _budget.Budget(20_000_000, "points of passes", "shorten `duration`, or lower `num_nodes`")


@pytree
class Windows:
    """Where passes lie, found once: numbers between which rise and set are looked for again when others move.

    Each pass belongs to one satellite and holds several conditions at once: one for each station, and darkness.
    """

    lower: Float[Array, "c k"] | Float[np.ndarray, "c k"]
    """Before each condition is met [s]."""

    upper: Float[Array, "c k"] | Float[np.ndarray, "c k"]
    """After it [s]."""

    satellite: tuple[int, ...] = static()
    """Of each pass."""


@pytree
class Passes:
    """What a station (or several at once) sees of satellites above its mask: k passes of q points each, in order.

    Sums over a pass are sums over its points weighted by `dwell`; `sum(dwell * rate)` is the integral of a rate.
    """

    time: Float[Array, "k q"]
    """[s]."""

    elevation: Float[Array, "*s k q"]
    """Above the horizon [rad]; with stations in front where several see the satellite at once."""

    slant_range: Float[Array, "*s k q"]
    """Distance to the satellite [m]."""

    dwell: Float[Array, "k q"]
    """Time that each point stands for [s]; their sum is the length of the pass."""

    rise: Float[Array, "k"]
    """When the pass begins [s]."""

    set: Float[Array, "k"]
    """When it ends [s]; not before `rise`."""

    satellite: tuple[int, ...] = static()
    """Which satellite of the orbit passes."""

    @property
    def num_passes(self) -> int:
        """Return k."""
        return len(self.satellite)

    @property
    def duration(self) -> Float[Array, "k"]:
        """Return how long each pass lasts [s]."""
        return self.set - self.rise


def passes(
    orbit: Orbit,
    station: Station | Sequence[Station],
    start: float,
    duration: float,
    mask: Any = 0.0,
    *,
    night: Night | None = None,
    num_nodes: int = NUM_NODES,
    rotation: float = EARTH_ROTATION,
    within: Windows | None = None,
) -> Passes:
    """Find the passes of satellites over a station.

    Args:
        orbit: of one satellite or many.
        station: on the ground; several = the times at which all of them see the same satellite.
        start: of the search [s].
        duration: of the search [s]; passes under way at its ends are cut off.
        mask: elevation above which the station works [rad], in [0, pi/2).
        night: what is asked of the sun at every station; None = passes by day count as well.
        num_nodes: q, points within each pass.
        rotation: of the earth [rad/s]; 0 = at rest.
        within: where passes lie (`find_windows`); needed where numbers are unknown, inside `jit` and `vmap`. Found for
            these numbers by default.

    Returns:
        passes: (k, q) arrays of time, elevation, distance and dwell, in the order of time; k may be 0.

    Raises:
        ValueError: if no satellite ever stands above the mask, whatever the time, or a number lies outside its range.
        TypeError: if numbers are unknown and `within` is not given.

    Note:
        Exact for circular orbits over a sphere: rise and set to rounding, sums of `dwell` too; no light is bent.
        Differentiable (rise and set by the implicit function theorem) with respect to orbit, station, mask and night,
        not across the appearance of a pass.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.orbits import orbit, station
        >>> day = passes(orbit(500e3, np.radians(97.4)), station(np.radians(48.0)), 0.0, 86_400.0, np.radians(10))
        >>> day.num_passes, [round(float(length)) for length in day.duration]
        (5, [373, 336, 391, 285, 418])
    """
    stations = _stations(station)
    low = mask_angle("mask", mask)
    if np.ndim(low):
        raise ValueError(f"Argument `mask` must be one number, but has the shape {np.shape(low)}.")
    if not isinstance(num_nodes, int) or not 1 <= num_nodes <= MOST_NODES:
        raise ValueError(
            f"Argument `num_nodes` must be a whole number from 1 to {MOST_NODES:,}, but is {num_nodes!r:.40}."
        )
    if within is None:
        within = find_windows(orbit, stations, start, duration, mask, night=night, rotation=rotation)
    MOST.require(len(within.satellite) * num_nodes * len(stations))
    found = _padded(orbit, stations, low, night, within, num_nodes, rotation)
    if isinstance(station, Station):
        found = {name: value[0] if name in ("elevation", "slant_range") else value for name, value in found.items()}
    return Passes(**found, satellite=within.satellite)


def find_windows(
    orbit: Orbit,
    station: Station | Sequence[Station],
    start: float,
    duration: float,
    mask: Any = 0.0,
    *,
    night: Night | None = None,
    rotation: float = EARTH_ROTATION,
) -> Windows:
    """Find where passes lie, such that `passes` finds them again for numbers near these, inside `jit` as well.

    Args:
        orbit: of one satellite or many; of it, as of all other numbers, only the values count.
        station: on the ground, or several.
        start: of the search [s].
        duration: of the search [s].
        mask: lowest elevation of interest [rad]: at higher masks passes are found again, at lower ones those may be
            missing that culminate below this.
        night: what is asked of the sun; None = nothing.
        rotation: of the earth [rad/s].

    Returns:
        windows: one for each pass.

    Raises:
        ValueError: if no satellite ever stands above the mask, or the search would take too many points.
        TypeError: if numbers are unknown.

    Note:
        No pass longer than a millisecond is missed (`qtn.orbits.windows`).
    """
    stations = _stations(station)
    known = _checks.constant((orbit, stations, mask, night))
    if any(_checks.known(leaf) is None for leaf in jax.tree.leaves(known)):
        raise TypeError(
            "Which passes there are follows from numbers, but some are unknown inside `jit` or `vmap`: call "
            "`find_windows` outside, and give the result as `within`."
        )
    orbit, stations, low, night = known
    rule = f"be one number between -{FARTHEST:g} and {FARTHEST:g}"
    _checks.require("start", start, lambda v: (np.abs(v) <= FARTHEST) & (np.ndim(v) == 0), rule)
    _checks.require("duration", duration, lambda v: (v > 0) & np.isfinite(v), "be positive and finite")
    _require_sight(orbit, stations, low)
    return _search(orbit, stations, float(start), float(start) + float(duration), low, night, rotation)


def at_rest(
    altitude: Any,
    closest_range: Any,
    *,
    mask: Any = 0.0,
    duration: float | None = None,
    num_nodes: int = NUM_NODES,
) -> Passes:
    """Return one pass over an earth at rest, of which the shortest distance is known.

    Args:
        altitude: of the satellite [m].
        closest_range: distance from the station when the satellite culminates, at t = 0 [m], at least `altitude`.
        mask: elevation above which the station works [rad].
        duration: of the part around t = 0 that is used [s]; None = all that lies above the mask.
        num_nodes: q, points.

    Returns:
        passes: one pass, symmetric about t = 0.

    Raises:
        ValueError: if the satellite is never so near, or does not rise above the mask.

    Note:
        Exact for a sphere, differentiable: for a known pass the turning of the earth makes a few per cent.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> seen = at_rest(500e3, 645e3, duration=273.0)
        >>> print(f"{float(jnp.max(seen.slant_range)) / 1e3:.0f} km, {float(jnp.sum(seen.dwell)):.6f} s")
        1187 km, 273.000000 s
    """
    circle, near = orbit(altitude, 0.0), _checks.positive_finite("closest_range", closest_range)
    _require_reach(_checks.known(circle.altitude), _checks.known(near), _checks.known(mask_angle("mask", mask)))
    square = (near**2 - circle.altitude**2) / (4 * EARTH_RADIUS * circle.radius)
    above = square <= 0
    aside = station(jnp.where(above, 0.0, 2 * jnp.arcsin(jnp.sqrt(jnp.where(above, 0.5, square)))))
    half_turn = _checks.constant(circle.period) / 2
    length = half_turn if duration is None else _checks.positive_finite("duration", duration)
    end = library(length).reshape(length, (1, 1)) / 2
    whole = Windows(lower=-end, upper=end, satellite=(0,))
    return passes(circle, aside, 0.0, 1.0, mask, num_nodes=num_nodes, rotation=0.0, within=whole)


def _require_reach(altitude: np.ndarray | None, closest: np.ndarray | None, mask: np.ndarray | None) -> None:
    """Raise if a satellite is known not to pass so near, or not to rise above the mask at this distance."""
    if altitude is None or closest is None or mask is None:
        return
    farthest = float(range_from(mask, altitude))
    if not altitude <= closest < farthest:
        raise ValueError(
            f"Argument `closest_range` must be at least `altitude` = {float(altitude) / 1e3:.6g} km and less than "
            f"{farthest / 1e3:.6g} km, the distance at the mask of {np.degrees(float(mask)):.4g} degrees, but is "
            f"{float(closest) / 1e3:.6g} km."
        )


def _stations(station: Station | Sequence[Station]) -> tuple[Station, ...]:
    """Return the stations that see a satellite at once."""
    given = (station,) if isinstance(station, Station) else tuple(station)
    if not given or not all(isinstance(each, Station) for each in given):
        raise TypeError("Argument `station` must be a station, or several: build them with `qtn.orbits.station`.")
    return given


def _require_sight(orbit: Orbit, stations: Sequence[Station], mask: np.ndarray) -> None:
    """Raise if no satellite ever stands above the mask of a station."""
    heights, tilts = np.atleast_1d(orbit.altitude), np.atleast_1d(orbit.inclination)
    reach = horizon(heights, mask)
    for each in stations:
        aside = abs(float(each.latitude))
        if np.any(np.minimum(tilts, np.pi - tilts) + reach > aside):
            continue
        best = int(np.argmax(np.minimum(tilts, np.pi - tilts) + reach))
        raise ValueError(
            f"The station at a latitude of {np.degrees(float(each.latitude)):.4g} degrees never sees a satellite at "
            f"{heights[best] / 1e3:.6g} km and an inclination of {np.degrees(tilts[best]):.4g} degrees above the mask "
            f"of {np.degrees(float(mask)):.4g} degrees: incline the orbit by more than "
            f"{np.degrees(aside - reach[best]):.4g} degrees, raise `altitude`, or lower `mask`."
        )


def _search(
    orbit: Orbit, stations: Sequence[Station], start: float, end: float, mask: Any, night: Night | None, turn: float
) -> Windows:
    """Return the windows of all satellites, in the order in which all conditions begin to be met."""
    many = len(np.atleast_1d(orbit.altitude))
    dark = [] if night is None else [_dark(night, each, start, end, turn) for each in stations]
    found = []
    for number in range(many):
        one = jax.tree.map(lambda leaf, i=number: np.atleast_1d(leaf)[i], orbit)
        seen = [_seen(one, each, start, end, mask, turn) for each in stations]
        found.append(_all_met([*seen, *dark], start, end))
    first = np.concatenate([each[0] for each in found])
    bounds = np.concatenate([each[1] for each in found], axis=1)
    order = np.argsort(first, kind="stable")
    owner = np.repeat(np.arange(many), [len(each[0]) for each in found])
    return Windows(lower=bounds[:, order, 0], upper=bounds[:, order, 1], satellite=tuple(int(i) for i in owner[order]))


def _seen(orbit: Orbit, station: Station, start: float, end: float, mask: Any, turn: float) -> np.ndarray:
    """Return the intervals in which a station sees one satellite."""
    least = np.cos(horizon(orbit.altitude, mask))
    return windows.above(lambda t: cosine(orbit, station, t, turn) - least, bend(orbit, turn), start, end)


def _dark(night: Night, station: Station, start: float, end: float, turn: float) -> np.ndarray:
    """Return the intervals of darkness."""
    least = np.sin(float(night.below))
    swift = 2 * (abs(turn) + 1e-6) ** 2
    return windows.above(lambda t: -least - sun_height(night, station, t, turn), swift, start, end)


def _all_met(intervals: Sequence[np.ndarray], start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Return when all conditions begin to be met (k,), and the bracket of each (c, k, 2)."""
    overlap, wide = intervals[0], [windows.widened(intervals[0], start, end)]
    for more in intervals[1:]:
        mine, other = windows.meeting(overlap, more).T
        wide = [each[mine] for each in wide] + [windows.widened(more, start, end)[other]]
        overlap = np.stack(
            [np.maximum(overlap[mine, 0], more[other, 0]), np.minimum(overlap[mine, 1], more[other, 1])], -1
        )
    return overlap[:, 0], np.stack(wide)


def _padded(
    orbit: Orbit,
    stations: tuple[Station, ...],
    mask: Array,
    night: Night | None,
    within: Windows,
    num_nodes: int,
    rotation: float,
) -> dict[str, Any]:
    """Return the arrays of passes; computed for a power of two of them, so that few programs serve many days."""
    count = len(within.satellite)
    width = 1 << max(count - 1, 0).bit_length()
    take = np.minimum(np.arange(width), count - 1)
    if not count:
        shape = (len(stations), 0, num_nodes)
        points = {name: np.zeros(shape[1:]) for name in ("time", "dwell")}
        seen = {name: np.zeros(shape) for name in ("elevation", "slant_range")}
        return points | seen | {name: np.zeros(0) for name in ("rise", "set")}
    owner = np.asarray(within.satellite)[take]
    each = jax.tree.map(lambda leaf: leaf[owner] if np.ndim(leaf) else leaf, orbit)
    found = _along(each, stations, mask, night, within.lower[:, take], within.upper[:, take], num_nodes, rotation)
    found = jax.tree.map(lambda leaf: leaf[..., :count] if leaf.ndim == 1 else leaf[..., :count, :], found)
    return _checks.at_hand(found)


@partial(jax.jit, static_argnames="num_nodes")
def _along(
    orbit: Orbit,
    stations: tuple[Station, ...],
    mask: Array,
    night: Night | None,
    lower: Array,
    upper: Array,
    num_nodes: int,
    rotation: Any,
) -> dict[str, Array]:
    """Return time, elevation, distance and dwell of each pass, of one satellite (k,) each."""
    begin, end = crossings((orbit, stations, mask, night, rotation), lower, upper)
    rise = jnp.max(begin, axis=0)
    fall = jnp.maximum(jnp.min(end, axis=0), rise)
    nodes, weights = np.polynomial.legendre.leggauss(num_nodes)
    half = (fall - rise)[:, None] / 2
    time = (rise + fall)[:, None] / 2 + half * nodes
    wide = jax.tree.map(lambda leaf: leaf[:, None] if jnp.ndim(leaf) else leaf, orbit)
    distance = jnp.stack([jnp.broadcast_to(distance_to(wide, each, time, rotation), time.shape) for each in stations])
    return {
        "time": time,
        "elevation": elevation_of(distance, wide.altitude),
        "slant_range": distance,
        "dwell": half * (2 * weights / np.sum(weights)),
        "rise": rise,
        "set": fall,
    }
