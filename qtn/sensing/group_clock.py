"""Clocks and sensors at the ends of a chain, or of copies of it that meet at a hub: what they measure, with waits."""

import enum
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.gather import GroupOutcome, gather
from qtn.evaluators.outcome import Outcome
from qtn.evaluators.pairs import pairs_of
from qtn.links.chain import Chain
from qtn.schedules.policy import Ends
from qtn.sensing.generator import generator
from qtn.sensing.ghz_fisher import COHERENCE, POPULATION, Blocks, blocks_fisher, patterns
from qtn.sensing.ramsey import Ramsey, best_exponential_time
from qtn.states.two_qubits import Pair, pair_to_mixed

MOST_USERS = 10
"""Users of a gathered state whose 2^n patterns of flips are written out."""


class Measurement(enum.StrEnum):
    """How a shared state is measured."""

    BEST = "best"
    """In the best way there is (quantum Fisher information)."""
    PARITY = "parity"
    """The parity of all qubits, each measured near X."""


@pytree
class Sensing:
    """What users measure with the states that they share."""

    probe: Ramsey
    """With the shared state, after waiting for it."""

    apart: Ramsey
    """With one qubit each, without entanglement and without waiting."""

    waiting_time: Float[Array, ""]
    """Mean time for a shared state [s]."""

    frequency: Float[Array, ""] | float | None = None
    """Of the clocks [Hz]; None = sensors that are none."""

    extrapolated: bool = static(default=False)
    """Whether the chain was evaluated on several grids, of which the finest one alone is used here."""

    @property
    def gain(self) -> Float[Array, ""]:
        """Return how many times smaller the uncertainty is than with qubits apart."""
        ours, alone = self.probe, self.apart
        known = alone.angle_fisher > 0  # 0 after a probe that outlasts all coherence: of ours sooner
        fisher = jnp.where(known, ours.angle_fisher / jnp.where(known, alone.angle_fisher, 1.0), 0.0)
        ratio = ours.probe_time / alone.probe_time * (ours.probe_time / ours.cycle_time) * fisher
        return jnp.where(ratio > 0, jnp.sqrt(jnp.where(ratio > 0, ratio, 1.0)), 0.0)

    @property
    def stability(self) -> Float[Array, ""]:
        """Return the fractional instability of the clocks after one second of averaging."""
        return self.probe.stability(self.frequency)

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with concrete numbers."""
        if not self.extrapolated:
            return []
        return [
            "States are gathered on the finest time grid of the chain, without the extrapolation that corrects its "
            "means: compare with a smaller time.step_s."
        ]


def group_fisher(group: GroupOutcome, *, weights: Any = None) -> Float[Array, ""]:
    """Return the quantum Fisher information of a gathered GHZ state, for Z/2 of each user.

    Args:
        group: of `qtn.gather`, at most 10 users, who keep their qubits.
        weights: (n,), of the users; None = 1.

    Raises:
        ValueError: if there are more users, or `group` holds a graph state.

    Note:
        Exact, differentiable, for arms that deliver pairs with <XX>, <YY>, <ZZ>, <XY>, <YX>, <ZI>, <IZ> alone, as links
        do; of others that part is used, which is a lower bound.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.dqc import steady_pairs
        >>> arm = steady_pairs([0.98, 0, 0, 0.02], 100.0, p_success=1.0)
        >>> round(float(group_fisher(gather([arm] * 3))), 9)  # 9 x .96^6
        7.044820107
    """
    n = group.num_users
    if n > MOST_USERS:
        raise ValueError(
            f"Argument `group` must have at most {MOST_USERS} users, as 2^n patterns of flips are summed, but has {n}: "
            "use `group_parity_fisher`, which takes any number."
        )
    bits = np.indices((2,) * n).reshape(n, -1).T
    both = group.products(np.concatenate([POPULATION[bits], COHERENCE[bits]]))
    population, coherence = both.reshape(2, -1)
    blocks = Blocks(
        count=jnp.ones(2**n), population=jnp.real(population), coherence=coherence, signs=jnp.asarray(1.0 - 2 * bits)
    )
    return blocks_fisher(blocks, generator(n, weights=weights))


def group_parity_fisher(group: GroupOutcome) -> Float[Array, ""]:
    """Return what the parity of a gathered GHZ state of any number of users tells of Z/2 of each: (d<P>/d theta)^2.

    Args:
        group: of `qtn.gather`; users keep their qubits.

    Note:
        Exact, differentiable. The variance of the parity, at most 1, is taken as 1; so it is a lower bound of
        `group_fisher`, and equal to it for n users of whom none has a bit error.

    References:
        Bollinger, Itano, Wineland, Heinzen, Phys. Rev. A 54, R4649 (1996).
    """
    n = group.num_users

    def parity(angle: Array) -> Array:
        zero = jnp.zeros(())
        row = jnp.stack([zero, jnp.cos(angle), jnp.sin(angle), zero])
        return jnp.real(group.products(jnp.broadcast_to(row, (1, n, 4)))[0])

    slope = jax.jvp(parity, (jnp.asarray(math.pi / (2 * n)),), (jnp.ones(()),))[1]
    return slope**2


def pair_fisher(state: Float[Array, "4 4"]) -> Float[Array, ""]:
    """Return the quantum Fisher information of a pair near Phi+ whose halves turn by Z/2 each; see `group_fisher`."""
    train = pair_to_mixed(Pair(correlations=state))
    return blocks_fisher(patterns(train), generator(2))


@pytree
class Sensor:
    """Users who measure a frequency together; see `sensing`."""

    dephasing_rate: Float[Array, ""] | float
    probe_time: Float[Array, ""] | float | None = None
    cutoff_time: Float[Array, ""] | float | None = None
    frequency: Float[Array, ""] | float | None = None
    users: int | None = static(default=None)
    measurement: Measurement = static(default=Measurement.BEST)

    def run(self, result: Outcome, chain: Chain) -> Sensing:
        """Return what that gives."""
        return sensing(
            result,
            chain,
            users=self.users,
            dephasing_rate=self.dephasing_rate,
            probe_time=self.probe_time,
            cutoff_time=self.cutoff_time,
            frequency=self.frequency,
            measurement=self.measurement,
        )


def sensing(
    result: Outcome,
    chain: Chain,
    *,
    users: int | None = None,
    dephasing_rate: Any = 0.0,
    probe_time: Any = None,
    cutoff_time: Any = None,
    frequency: Any = None,
    measurement: Measurement | str = Measurement.BEST,
) -> Sensing:
    """Measure the mean of the frequencies of all users, again and again, with states that the network delivers.

        information in every second:  T^2 F exp(-2 n gamma T) / (waiting time + T)

    A flip of one user's qubit turns the sign of its frequency: two clocks compare themselves with a pair, and know half
    of their difference as well as said here. A probe starts when the last pair has come: messages of the hub, which say
    which qubits to flip, take no time; what they take can be counted to the attempts of the links.

    Args:
        result: what the chain delivers at each time.
        chain: where: memories of its ends hold pairs that came early, its right end is the hub.
        users: at the left ends of copies of the chain, whose right ends meet at the hub, which gathers a GHZ state;
            None = two users, at both ends of the chain itself, who share its pairs.
        dephasing_rate: gamma [1/s]: each qubit loses coherence as exp(-gamma T) during the probe, on its own.
        probe_time: T [s]; None = the one with the most information in every second.
        cutoff_time: see `qtn.gather` [s].
        frequency: of the clocks [Hz], for `Sensing.stability`; None = sensors that are none.
        measurement: the best one (up to 10 users), or the parity of all qubits.

    Returns:
        found: Ramsey cycles with the shared state, and with one qubit each that never waits: at the same probe time if
            that is given, else at its own best.

    Raises:
        ValueError: if numbers are out of range, or there is no best probe time because nothing dephases.

    Note:
        Exact for pairs as links deliver them (see `group_fisher`); differentiable in every number.

    References:
        Komar et al., Nature Physics 10, 582 (2014), arXiv:1310.6045 (clocks that share GHZ states);
        Huelga et al., Phys. Rev. Lett. 79, 3865 (1997).
    """
    kind = _checks.choice("measurement", measurement, Measurement)
    frequency = None if frequency is None else _checks.positive_finite("frequency", frequency)
    gamma = _checks.non_negative_finite("dephasing_rate", dephasing_rate)
    if users is None:
        number, waiting, turned = 2, result.mean_time, pair_fisher(result.state)
    else:
        arms, hub = [pairs_of(result, chain)] * users, chain.node(chain.num_links)
        group = gather(arms, hub, cutoff_time=cutoff_time, ends=Ends.KEPT)
        read = group_fisher if kind is Measurement.BEST else group_parity_fisher
        number, waiting, turned = users, group.mean_time, read(group)
    if probe_time is None:
        if (known := _checks.known(gamma)) is not None and known == 0:
            raise ValueError("Argument `probe_time` must be given where `dephasing_rate` is 0: the longer, the better.")
        time, alone = best_exponential_time(number * gamma, waiting), best_exponential_time(gamma, 0.0)
    else:
        time = alone = _checks.positive_finite("probe_time", probe_time)
    return Sensing(
        probe=_cycle(time, waiting, turned, number * gamma),
        apart=_cycle(alone, jnp.zeros(()), jnp.asarray(float(number)), gamma),
        waiting_time=waiting,
        frequency=frequency,
        extrapolated=users is not None and getattr(result.info, "num_grids", 1) > 1,
    )


def _cycle(time: Any, waiting: Any, turned: Array, rate: Any) -> Ramsey:
    """Return the cycle of states whose coherence decays at a rate."""
    return Ramsey(
        probe_time=jnp.asarray(time), cycle_time=waiting + time, angle_fisher=turned * jnp.exp(-2 * rate * time)
    )
