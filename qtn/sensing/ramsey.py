"""Ramsey probes: a state is made, turns for a while, is measured; then the next one, until the averaging time is over.

    F = T^2 F_angle(T),   cycle = dead time + T,   variance of an angular frequency after a time t: cycle / (t F)

The dead time is what it takes to make and to read the state: in a network the mean waiting time for its pairs.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Bool, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.sensing.fisher import MOST_DENSE, quantum_fisher
from qtn.sensing.generator import Letters, State
from qtn.sensing.generator import generator as build
from qtn.sensing.ghz_fisher import ghz_blocks, turns_about_z
from qtn.states.dense import DensityMatrix, to_train
from qtn.states.local import apply_each_site
from qtn.states.trains import MPS, to_mixed
from qtn.states.two_qubits import Pair, pair_to_mixed

SECOND = 1.0
"""Averaging time at which stabilities are told [s]."""

SHORTEST, LONGEST, POINTS, HALVINGS = 1e-6, 30.0, 60, 60
"""Probe times that are tried, in coherence times of one qubit; how many; and bisections of the slope after that."""


@pytree
class Ramsey:
    """What one Ramsey probe after the other says of an angular frequency."""

    probe_time: Float[Array, ""]
    """T [s]."""

    cycle_time: Float[Array, ""]
    """Dead time + T [s]."""

    angle_fisher: Float[Array, ""]
    """Fisher information of the angle at the end of a probe [1/rad^2]."""

    @property
    def information_rate(self) -> Float[Array, ""]:
        """Return the Fisher information of the angular frequency in every second [s]: T^2 F / cycle."""
        return self.probe_time * (self.probe_time / self.cycle_time) * self.angle_fisher

    @property
    def uncertainty(self) -> Float[Array, ""]:
        """Return the standard deviation of the frequency after one second of averaging [Hz]."""
        return self.uncertainty_after(SECOND)

    def uncertainty_after(self, averaging_time: Any) -> Float[Array, "..."]:
        """Return the standard deviation of the frequency after some averaging times [s], in Hz; infinite without F.

        It holds from about one cycle on, and falls as the square root of the averaging time.
        """
        known = self.information_rate
        seconds = _checks.positive("averaging_time", averaging_time)
        there = known > 0
        return jnp.where(there, 1 / (2 * math.pi * jnp.sqrt(jnp.where(there, known, 1.0) * seconds)), jnp.inf)

    def stability(self, frequency: Any, averaging_time: Any = SECOND) -> Float[Array, "..."]:
        """Return the fractional instability (Allan deviation) of clocks of a frequency [Hz] after some times [s]."""
        return self.uncertainty_after(averaging_time) / _checks.positive("frequency", frequency)


def ramsey(
    state: State | Pair,
    *,
    probe_time: Any = None,
    dephasing_rate: Any = 0.0,
    dead_time: Any = 0.0,
    generator: Letters = None,
    weights: Any = None,
) -> Ramsey:
    """Let a state turn, each qubit losing coherence as exp(-gamma T) on its own, and measure it in the best way.

    Args:
        state: before the probe, however it was made: GHZ, product, run through a circuit, delivered by a network.
        probe_time: T [s]; None = the one with the most information per time.
        dephasing_rate: gamma [1/s] of every qubit, uncorrelated.
        dead_time: rest of the cycle [s].
        generator: what turns, see `quantum_fisher`; None = Z/2 of every qubit.
        weights: (n,), of the sites.

    Returns:
        found: times [s] and Fisher information.

    Raises:
        ValueError: if a time or rate is out of range, if there is no best probe time because nothing dephases or
            dephasing does not matter, or if finding it takes too long (mixed trains of more than 7 qubits that are no
            GHZ or product states: give one).

    Note:
        Exact where `quantum_fisher` is; differentiable by the state and all numbers, the best probe time included.

    References:
        Huelga, Macchiavello, Pellizzari, Ekert, Plenio, Cirac, Phys. Rev. Lett. 79, 3865 (1997): without dead time
        product and GHZ states of n qubits both reach n / (2 e gamma).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import ghz, plus
        >>> [round(float(ramsey(each, dephasing_rate=0.5).information_rate), 10) for each in (ghz(4), plus(4))]
        [1.4715177647, 1.4715177647]
    """
    gamma = _checks.non_negative_finite("dephasing_rate", dephasing_rate)
    dead = _checks.non_negative_finite("dead_time", dead_time)
    state = pair_to_mixed(state) if isinstance(state, Pair) else state

    def angle_fisher(time: Any) -> Float[Array, ""]:
        return quantum_fisher(_dephased(state, gamma * time), generator, weights=weights)

    if probe_time is not None:
        time = _checks.positive_finite("probe_time", probe_time)
    elif (known := _checks.known(_checks.constant(gamma))) is not None and known == 0:
        raise ValueError("Argument `probe_time` must be given where `dephasing_rate` is 0: the longer, the better.")
    elif (order := _order(state, generator, weights)) is not None:
        time = best_exponential_time(order * gamma, dead)
    else:
        time, longest = _best_time(angle_fisher, gamma, dead)
        if _checks.known(_checks.constant(longest)):
            raise ValueError(
                "Argument `probe_time` must be given: dephasing does not take away what this state shows, "
                "so that the longer a probe, the better."
            )
    return Ramsey(probe_time=time, cycle_time=dead + time, angle_fisher=angle_fisher(time))


def _dephased(state: State, exponent: Any) -> State:
    """Return a state after its qubits have lost coherence as exp(-exponent)."""
    known = _checks.known(exponent)
    if isinstance(state, MPS) and known is not None and known == 0:
        return state
    kept = jnp.exp(-jnp.asarray(exponent))
    one = jnp.ones(())
    train = to_train(state) if isinstance(state, DensityMatrix) else to_mixed(state)
    return apply_each_site(train, jnp.diag(jnp.stack([one, kept, kept, one])))


def _order(state: State, generator: Letters, weights: Any) -> int | None:
    """Return how many coherences are lost at once: n for GHZ states up to flips and damping; None for others.

    Raises:
        ValueError: if a state is none of those, and too large to try many probe times.
    """
    n = state.num_sites
    mixed = to_train(state) if isinstance(state, DensityMatrix) else to_mixed(state)
    apart = mixed.bond == 1
    if not apart and turns_about_z(build(n, generator, weights)) and ghz_blocks(mixed) is not None:
        return n
    if n > MOST_DENSE and not apart:
        raise ValueError(
            f"Argument `probe_time` must be given for {n} qubits that are no GHZ or product state: the best one is "
            f"searched up to "
            f"{MOST_DENSE} qubits."
        )
    return None


def best_exponential_time(rate: Any, dead_time: Any) -> Float[Array, ""]:
    """Return the T that maximises T^2 exp(-2 k T) / (dead time + T) [s].

        k T = [1 - x + sqrt(1 + 6 x + x^2)] / 4,   x = 2 k d   (d: dead time);   1/2 where d = 0, 1 where d is long

    Args:
        rate: k > 0 [1/s]; n gamma for a GHZ state of n qubits, gamma for n qubits apart.
        dead_time: d [s].

    Note:
        Exact, differentiable.
    """
    rate = jnp.asarray(rate, float)
    x = 2 * rate * dead_time
    short = x < 1
    few, many = jnp.where(short, x, 1.0), 1 / jnp.where(short, 1.0, x)
    below = (1 - few + jnp.sqrt(1 + 6 * few + few**2)) / 4
    above = 2 / (jnp.sqrt(1 + 6 * many + many**2) + 1 - many)  # the same without a difference of large numbers
    return jnp.where(short, below, above) / rate


def _best_time(
    angle_fisher: Callable[[Array], Float[Array, ""]], gamma: Array, dead: Array
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Return the probe time with the most information per time, found by the sign of the slope, or the longest tried.

    Returns:
        time: [s].
        longest: whether it is the longest one.

    Note:
        A Newton step from the optimum, which is fixed, gives it the derivative of the implicit function theorem.
    """

    def value(log_time: Array) -> Float[Array, ""]:
        time = jnp.exp(log_time)
        return 2 * log_time + jnp.log(angle_fisher(time)) - jnp.log(dead + time)

    slope = jax.grad(value)
    grid = jnp.linspace(math.log(SHORTEST), math.log(LONGEST), POINTS) - jnp.log(gamma)
    best = jnp.argmax(lax.map(value, grid))
    ends = grid[jnp.maximum(best - 1, 0)], grid[jnp.minimum(best + 1, POINTS - 1)]

    def halve(_: Any, interval: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = sum(interval) / 2
        rising = slope(middle) > 0
        return jnp.where(rising, middle, interval[0]), jnp.where(rising, interval[1], middle)

    found = lax.stop_gradient(sum(lax.fori_loop(0, HALVINGS, halve, lax.stop_gradient(ends))) / 2)
    between = (best > 0) & (best < POINTS - 1)
    curvature = lax.stop_gradient(jnp.where(between, jax.grad(slope)(found), -1.0))
    inside = found - jnp.where(between, slope(found), 0.0) / curvature
    return jnp.exp(jnp.where(between, inside, grid[best])), best == POINTS - 1
