"""What sampling returns: means, their joint covariance, and the samples of the waiting time."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import ArrayLike, Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.outcome import Summary
from qtn.states.pair import bell_from_pauli


@pytree
class Samples:
    """Independent deliveries; the derivatives of `log_weight` are those of the logarithm of their probability."""

    times: Float[Array, "m"]
    """Waiting time of each [s]."""

    states: Float[Array, "m 4 4"]
    """Pauli coefficients of each delivered pair."""

    log_weight: Float[Array, "m"]
    """Logarithm of the probability of everything that was drawn for it."""


@pytree
class SampledInfo:
    """Statistical errors of a sampled outcome."""

    covariance: Float[Array, "17 17"]
    """Covariance of the estimated mean time [s] and the 16 Pauli coefficients."""

    num_samples: int = static()
    """Independent samples (deliveries, or runs of many deliveries where entanglement carries over)."""

    def numbers(self) -> dict[str, float | int]:
        """Return what reports print of a concrete outcome."""
        return {
            "num_samples": self.num_samples,
            "mean_time_standard_error_s": float(jnp.sqrt(self.covariance[0, 0])),
            "state_standard_error": float(jnp.sqrt(jnp.max(jnp.diagonal(self.covariance)[1:]))),
        }

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with a concrete outcome."""
        if self.num_samples >= 100:
            return []
        return [f"Only {self.num_samples} samples: standard errors are rough; increase evaluate.num_samples."]


@pytree
class SampledOutcome:
    """The mean delivered pair with error bars; a `Result`, as every evaluator returns one."""

    mean_time: Float[Array, ""]
    """Mean waiting time for one end-to-end pair [s]."""

    state: Float[Array, "4 4"]
    """Mean delivered state: Pauli coefficients tr(P_i x P_j rho)."""

    samples: Float[Array, "m"]
    """Sampled waiting times [s] (where entanglement carries over, the mean interval of each run)."""

    info: SampledInfo
    """Statistical errors."""

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi- of the mean delivered state, sum 1."""
        return bell_from_pauli(self.state)

    @property
    def summary(self) -> Summary:
        """Return the means and their errors alone."""
        return Summary(mean_time=self.mean_time, state=self.state, info=self.info)

    @property
    def in_time(self) -> None:
        """Return None: samples do not resolve the state in time."""

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return the times [s] by which these shares of the samples have been delivered."""
        return jnp.quantile(self.samples, jnp.asarray(levels), method="inverted_cdf")

    def standard_error(self, of: Callable[[Summary], Float[Array, ""]]) -> Float[Array, ""]:
        """Return the standard error of a figure of merit of this outcome.

        The merit is linearised around the means (delta method), with the full covariance of time and state: the
        error of a rate includes the variance of the times, that of a key rate also their correlation with the state.

        Args:
            of: any differentiable function of mean time and mean state, such as `qtn.secret_key_rate`.

        Example:
            >>> import jax; jax.config.update("jax_enable_x64", True)
            >>> from qtn import Sampled, abstract_link, chain, swap_asap
            >>> line = chain(abstract_link(p_success=0.1, attempt_time=1.0, werner=0.9), num_links=1)
            >>> found = Sampled(10_000).evaluate(line, swap_asap())
            >>> error = found.standard_error(lambda summary: 1 / summary.mean_time)
            >>> bool(abs(1 / found.mean_time - 0.1) < 4 * error), bool(0.0005 < error < 0.002)
            (True, True)
        """

        def merit(mean_time: Float[Array, ""], state: Float[Array, "4 4"]) -> Float[Array, ""]:
            return of(Summary(mean_time=mean_time, state=state, info=self.info))

        return _error(*jax.grad(merit, (0, 1))(self.mean_time, self.state), self.info.covariance)


@jax.jit
def _error(
    by_time: Float[Array, ""], by_state: Float[Array, "4 4"], covariance: Float[Array, "17 17"]
) -> Float[Array, ""]:
    """Return the standard error of a merit with these slopes."""
    slope = jnp.concatenate([by_time[None], by_state.reshape(16)])
    return jnp.sqrt(slope @ covariance @ slope)


@jax.jit
def estimate(samples: Samples) -> SampledOutcome:
    """Return means with errors and derivatives.

    The derivative of a mean is the mean of the derivatives along each sample (pathwise) plus that of its probability
    (score function), with the mean of all other samples as the baseline:

        d E[x] = (1/m) sum_k dx_k + 1/(m - 1) sum_k (x_k - mean x) dlog P_k

    Note:
        Unbiased, of first order; differentiable in both modes.
    """
    count = samples.times.size
    values = jnp.concatenate([samples.times[:, None], samples.states.reshape(count, 16)], axis=1)
    fixed = jax.lax.stop_gradient(values)
    deviation = fixed - fixed.mean(axis=0)
    score = samples.log_weight - jax.lax.stop_gradient(samples.log_weight)
    mean = values.mean(axis=0) + score @ deviation / (count - 1)
    covariance = deviation.T @ deviation / (count - 1) / count
    info = SampledInfo(covariance=covariance, num_samples=count)
    return SampledOutcome(
        mean_time=mean[0], state=mean[1:].reshape(4, 4), samples=jax.lax.stop_gradient(samples.times), info=info
    )
