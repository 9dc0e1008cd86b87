"""A chain one of whose links moves: what it delivers along the passes of a satellite, slice by slice."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _budget, _checks
from qtn._array import Array
from qtn._pytree import pytree, stack
from qtn.evaluators.evaluate import Evaluator, usual_evaluator
from qtn.evaluators.outcome import Result
from qtn.hardware.earth import ground_distance, height_at
from qtn.links.chain import Chain
from qtn.links.satellite import Satellite
from qtn.orbits.passes import Passes
from qtn.schedules.policy import SwapAsap
from qtn.schedules.tree import Schedule

MOST_RATIO = 0.1
"""Mean waiting time by the length of a slice, up to which the chain is taken to follow its link."""

MOST = _budget.Budget(2_000, "slices of passes", "shorten the search, or lower `num_nodes` of `passes`")


@pytree
class Slices:
    """What a chain delivers along k passes of q slices each."""

    mean_time: Float[Array, "k q"]
    """Mean waiting time for a pair while the satellite stands still there [s]."""

    state: Float[Array, "k q 4 4"]
    """Pauli coefficients of the delivered pair."""

    dwell: Float[Array, "k q"]
    """Length of each slice [s]."""

    @property
    def ratio(self) -> Float[Array, "k q"]:
        """Return the mean waiting time by the length of the slice [1]: small where the chain follows its link."""
        return self.mean_time / self.dwell

    @property
    def num_pairs(self) -> Float[Array, "k"]:
        """Return how many pairs each pass delivers on average."""
        return jnp.sum(self.dwell / self.mean_time, -1)

    @property
    def pair_state(self) -> Float[Array, "k 4 4"]:
        """Return the mean state of the pairs of each pass."""
        weights = self.dwell / self.mean_time
        return jnp.sum(weights[..., None, None] * self.state, 1) / jnp.sum(weights, -1)[:, None, None]


def at(chain: Chain, position: int, distances: Any, elevations: Any) -> Chain:
    """Return a chain with its satellite at a place.

    Args:
        chain: links and nodes.
        position: of the satellite link.
        distances: (2,), from the left and the right station to the satellite [m].
        elevations: (2,), above both horizons [rad].

    Returns:
        chain: in which the link has this altitude and these distances, and no minimum elevation: whoever chooses the
            places has a mask.

    Raises:
        ValueError: if there is no satellite link of its own at this position.
    """
    link = chain.link(position)
    if not isinstance(link, Satellite) or (len(chain.links) == 1 and chain.num_links > 1):
        raise ValueError(
            f"Argument `position` must be that of a satellite link of its own, but link {position} is a "
            f"{type(link).__name__}."
        )
    far, height = _checks.real(distances), height_at(distances, jnp.sin(_checks.real(elevations)))[0]
    ways = ground_distance(far, height)
    moved = dataclasses.replace(
        link, distance_left=ways[0], distance_right=ways[1], altitude=height, minimum_elevation=jnp.zeros(())
    )
    links = tuple(moved if i == position else each for i, each in enumerate(chain.links))
    return dataclasses.replace(chain, links=_checks.at_hand(links))


def along(
    chain: Chain,
    position: int,
    passes: Passes,
    schedule: Schedule | SwapAsap,
    *,
    evaluator: Evaluator[Result] | None = None,
    most_ratio: float = MOST_RATIO,
) -> Slices:
    """Evaluate a chain with a satellite link along passes, as if the satellite stood still within each slice.

    Args:
        chain: links and nodes; what its satellite link says of distances and altitude is replaced.
        position: of the satellite link.
        passes: seen by both stations at once, `qtn.orbits.passes(orbit, (left, right), ...)`; each node of a pass is
            one slice.
        schedule: as for `evaluate`.
        evaluator: as for `evaluate`.
        most_ratio: largest mean waiting time by the length of its slice.

    Returns:
        slices: waiting time and state in each.

    Raises:
        ValueError: if a pair takes so long that its satellite has moved on, there is no satellite link at the
            position, or the passes are not those of two stations.

    Note:
        Adiabatic: the error is of the order of `ratio`. Differentiable as the evaluator is, by passes too.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.links.chain import chain
        >>> from qtn.links.satellite import satellite
        >>> from qtn.orbits import orbit, passes, station
        >>> from qtn.schedules.builders import elementary
        >>> sky = satellite(
        ...     distance_left=0.0, distance_right=0.0, altitude=500e3, receiver_radius=0.5, wavelength=850e-9,
        ...     divergence=1e-5, p_source=1.0, repetition_rate=1e8,
        ... )
        >>> left, right = station(np.radians(48.2), np.radians(16.4)), station(np.radians(48.1), np.radians(11.6))
        >>> seen = passes(orbit(500e3, np.radians(97.4)), (left, right), 30e3, 20e3, np.radians(10), num_nodes=4)
        >>> found = along(chain([sky]), 0, seen, elementary(0))
        >>> print(f"{found.num_pairs[0]:.3g} pairs, ratio at most {jnp.max(found.ratio):.1e}")
        2.23e+06 pairs, ratio at most 2.4e-05
    """
    if not isinstance(passes, Passes) or np.ndim(passes.elevation) != 3 or passes.elevation.shape[0] != 2:
        raise ValueError(
            "Argument `passes` must be those that two stations see at once: "
            "`qtn.orbits.passes(orbit, (left, right), ...)`."
        )
    MOST.require(passes.time.size)
    how, found = evaluator, []
    for which in np.ndindex(*passes.time.shape):
        place = passes.slant_range[:, *which], passes.elevation[:, *which]
        moved = at(chain, position, *place)
        how = how or usual_evaluator(moved, schedule)
        summary = how.summarise(moved, schedule)
        found.append((summary.mean_time, summary.state))
    shape = passes.time.shape
    times = jnp.reshape(stack([time for time, _ in found]), shape) if found else jnp.zeros(shape)
    states = jnp.reshape(stack([state for _, state in found]), (*shape, 4, 4)) if found else jnp.zeros((*shape, 4, 4))
    slices = Slices(mean_time=times, state=states, dwell=passes.dwell)
    require_slow(slices, passes, most_ratio)
    return slices


def require_slow(slices: Slices, passes: Passes, most_ratio: float) -> None:
    """Raise if the satellite is known to move on before a pair is there."""
    ratio = _checks.known(_checks.constant(slices.ratio))
    if ratio is None or not ratio.size or np.max(ratio) <= most_ratio:
        return
    worst = np.unravel_index(np.argmax(ratio), ratio.shape)
    wait, length = (float(np.asarray(_checks.constant(x))[worst]) for x in (slices.mean_time, slices.dwell))
    low = float(np.min(np.asarray(_checks.constant(passes.elevation))[(slice(None), *worst)]))
    raise ValueError(
        f"A pair takes {wait:.4g} s in a slice of {length:.4g} s (satellite at {np.degrees(low):.4g} degrees), "
        f"{ratio[worst]:.3g} of it, but at most {most_ratio:g} is allowed: the satellite moves on meanwhile. "
        "Make the link faster, raise the mask, or take fewer slices (`num_nodes`)."
    )
