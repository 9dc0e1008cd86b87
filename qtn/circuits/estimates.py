"""Averages over trajectories: what they are, how far they may be off, and slopes with the score of the outcomes."""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.tensors.instruments import Record


@pytree
class Estimate:
    """Averages over trajectories, with their statistical errors."""

    mean: Float[Array, "o"]
    """Estimates of the expectation values of the normalised state."""
    standard_error: Float[Array, "o"]
    """Of each mean; nan for one trajectory."""
    weight: Float[Array, ""]
    """Estimate of the probability of what was post-selected: 1 without PROJECT."""
    weight_error: Float[Array, ""]
    """Its standard error."""
    values: Float[Array, "trajectories o"]
    """Expectation values in each trajectory."""
    weights: Float[Array, "trajectories"]
    """Weight of each trajectory: the values are averaged with it."""

    @property
    def num_trajectories(self) -> int:
        """Number of trajectories."""
        return self.values.shape[0]


@pytree
class TrajectoryInfo:
    """How accurate the trajectories themselves are."""

    mean_discarded: Float[Array, ""]
    """Discarded fraction of the norm squared, summed over the cuts of a trajectory, averaged over trajectories."""
    fidelity_estimate: Float[Array, ""]
    """Mean over trajectories of the product of the fractions that cuts kept."""
    worst_fidelity_estimate: Float[Array, ""]
    """The smallest of them."""
    drawn_ahead: Bool[Array, ""]
    """Whether the circuit ran without any decomposition: noise of unitaries, drawn before, and small bonds."""

    impossible: Float[Array, ""]
    """Fraction of the trajectories whose weight is 0, because PROJECT asked for what they cannot give."""

    def sentences(self) -> list[str]:
        """Describe what deserves attention, with a cure."""
        mean, worst = float(self.fidelity_estimate), float(self.worst_fidelity_estimate)
        if float(self.impossible) == 1:
            return ["No trajectory met what was post-selected: the circuit cannot give these outcomes."]
        lines = [f"A trajectory keeps {mean:.12g} of its squared norm on average, {worst:.12g} at worst."]
        if worst < 1 - 1e-6:
            lines.append("Bonds were cut, a bias that the standard error does not contain: increase `max_bond`.")
        return lines


@jax.jit
def estimate(values: Array, record: Record) -> Estimate:
    """Average; derivatives contain the score of the outcomes."""
    count = values.shape[0]
    weights = jnp.exp(record.log_weight)
    spread = count / (count - 1) if count > 1 else jnp.nan
    score = record.log_probability - jax.lax.stop_gradient(record.log_probability)
    if count == 1:
        score = jnp.sqrt(0.0 * score)  # 0, its derivative NaN: one trajectory has no baseline
    scored = weights * (1 + (spread if count > 1 else 1.0) * score)
    mean = scored @ values / jnp.sum(scored)
    still, own = jax.lax.stop_gradient((values - mean, weights))
    error = jnp.sqrt(spread * jnp.sum((own[:, None] * still) ** 2, axis=0)) / jnp.sum(own)
    weight_error = jnp.sqrt(spread * jnp.sum((own - jnp.mean(own)) ** 2)) / count
    return Estimate(
        mean=mean,
        standard_error=error,
        weight=jnp.mean(weights * (1 + score)),
        weight_error=weight_error,
        values=values,
        weights=weights,
    )


def accuracy(record: Record, ahead: bool) -> TrajectoryInfo:
    """Say how accurate trajectories are, and whether they were drawn ahead."""
    kept = jnp.exp(record.log_kept)
    return TrajectoryInfo(
        mean_discarded=jnp.mean(record.discarded),
        fidelity_estimate=jnp.mean(kept),
        worst_fidelity_estimate=jnp.min(kept),
        drawn_ahead=jnp.asarray(ahead),
        impossible=jnp.mean(jnp.exp(record.log_weight) == 0),
    )
