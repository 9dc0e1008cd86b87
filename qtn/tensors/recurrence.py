"""Linear recurrences on a time axis: geometric memory, shifts, and division of power series.

All arrays end with the time axis, (..., num_steps), so that each component is contiguous.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array

BLOCK = 16
"""Measured on a CPU: with more steps a block the products cost more than the carries save."""


def decay_scan(x: Float[Array, "k t"], rate: Float[Array, "k"]) -> Float[Array, "k t"]:
    """Sum the past with exponential decay.

        y[k, t] = sum_{s <= t} exp(-rate[k] (t - s)) x[k, s]

    Args:
        x: (k, t).
        rate: (k,), decay per step, >= 0; 0 gives the cumulative sum.

    Returns:
        (k, t).

    Note:
        Exact; blocks of `BLOCK` steps are one triangular matrix product each, and the carries between blocks
        obey the same recurrence at `BLOCK` times the rate: a scan on a CPU, blocks again elsewhere, where a step
        of a scan is a kernel launch. O(t), differentiable in both modes.

    Example:
        >>> import jax.numpy as jnp
        >>> decay_scan(jnp.array([[1.0, 1.0, 1.0]]), jnp.array([0.0])).tolist()
        [[1.0, 2.0, 3.0]]
    """
    num_components, length = x.shape
    size = min(BLOCK, length)
    num_blocks = -(-length // size)
    padded = jnp.pad(x, ((0, 0), (0, num_blocks * size - length)))
    blocks = padded.reshape(num_components, num_blocks, size)
    offset = jnp.arange(size)
    lag = offset[:, None] - offset[None, :]
    past = jnp.where(lag >= 0, jnp.exp(-rate[:, None, None] * jnp.maximum(lag, 0)), 0.0)
    inside = jnp.einsum("kij,knj->kni", past, blocks)
    if num_blocks > 1:
        last = inside[:, :-1, -1]
        ends = jax.lax.platform_dependent(last, rate * size, cpu=_step_by_step, default=decay_scan)
        carry = jnp.pad(ends, ((0, 0), (1, 0)))
        inside = inside + carry[:, :, None] * jnp.exp(-rate[:, None] * (offset + 1.0))[:, None, :]
    return inside.reshape(num_components, -1)[:, :length]


def _step_by_step(x: Float[Array, "k t"], rate: Float[Array, "k"]) -> Float[Array, "k t"]:
    """Return what `decay_scan` returns, one step after the other."""
    decay = jnp.exp(-rate)

    def step(total: Array, now: Array) -> tuple[Array, Array]:
        total = decay * total + now
        return total, total

    return jax.lax.scan(step, jnp.zeros_like(rate), x.T)[1].T


def two_sided_decay(x: Float[Array, "k t"], rate: Float[Array, "k"]) -> Float[Array, "k t"]:
    """Sum past and future with exponential decay.

        y[k, t] = sum_s exp(-rate[k] |t - s|) x[k, s]

    Args:
        x: (k, t).
        rate: (k,), decay per step, >= 0.

    Returns:
        (k, t).

    Note:
        Exact, O(t), differentiable in both modes: past and future are rows of one `decay_scan`.

    Example:
        >>> import jax.numpy as jnp
        >>> two_sided_decay(jnp.array([[1.0, 2.0, 3.0]]), jnp.array([0.0])).tolist()
        [[6.0, 6.0, 6.0]]
    """
    past, future = jnp.split(decay_scan(jnp.concatenate([x, x[:, ::-1]]), jnp.concatenate([rate, rate])), 2)
    return past + future[:, ::-1] - x


def cumulative(x: Float[Array, "t"]) -> Float[Array, "t"]:
    """Return the inclusive cumulative sum over time."""
    return decay_scan(x[None], jnp.zeros(1))[0]


def delayed(x: Float[Array, "k t"], steps: Array) -> Float[Array, "k t"]:
    """Delay by a whole, traced number of steps: y[k, t] = x[k, t - steps], 0 outside the grid.

    Args:
        x: (k, t).
        steps: integer scalar, negative to advance; clipped to [-t, t], where all is zero.
    """
    num_components, length = x.shape
    padded = jnp.pad(x, ((0, 0), (length, length)))
    start = length - jnp.clip(steps, -length, length)
    return jax.lax.dynamic_slice(padded, (jnp.zeros_like(start), start), (num_components, length))


def delay(x: Float[Array, "k t"], steps: Float[Array, ""]) -> Float[Array, "k t"]:
    """Delay by a real number of steps: each mass is split between two neighbours, its mean time exact."""
    whole = jax.lax.stop_gradient(jnp.floor(steps))
    first = jnp.clip(whole, -x.shape[1], x.shape[1]).astype(int)
    early, late = delayed(x, first), delayed(x, first + 1)
    return early + (steps - whole) * (late - early)


def padded_length(length: int) -> int:
    """Return how long a Fourier transform is that holds a convolution on the grid: the next 2^a 3^b 5^c from 2 t on.

    Note:
        A length with large prime factors takes 4 to 6 times as long as the next one without.

    Example:
        >>> padded_length(65536), padded_length(5003)
        (131072, 10125)
    """
    least = 2 * length
    best, fives = 1 << (least - 1).bit_length(), 1
    while fives < best:
        odd = fives
        while odd < best:
            best = min(best, odd << (-(-least // odd) - 1).bit_length())
            odd *= 3
        fives *= 5
    return best


def convolve(x: Float[Array, "*k t"], y: Float[Array, "*m t"]) -> Float[Array, "*n t"]:
    """Return z[.., t] = sum_s x[.., s] y[.., t - s] on the grid; leading axes broadcast.

    Note:
        One zero-padded FFT of `padded_length` for each argument: rounding is relative to the largest value.
    """
    length = max(x.shape[-1], y.shape[-1])
    padded = padded_length(length)
    product = jnp.fft.rfft(x, n=padded) * jnp.fft.rfft(y, n=padded)
    return jnp.fft.irfft(product, n=padded)[..., :length]


def repeat_until_success(
    success: Float[Array, "k t"], failure: Float[Array, "t"], lifetime: Float[Array, ""]
) -> Float[Array, "k t"]:
    """Restart after every failure: the generating functions obey Y(z) = S(z) / (1 - F(z)).

    Args:
        success: (k, t), what an attempt that ends at t delivers.
        failure: (t,), probability that an attempt fails at t.
        lifetime: mean time to success in steps: tells whether the result fits the grid.

    Returns:
        (k, t), what is delivered at t after any number of attempts.

    Note:
        One FFT zero-padded to n = `padded_length`. A result that outlasts the grid is damped by r^t with r^n = 1e-3, so
        that what wraps round is suppressed; rounding grows as r^-t. Differentiable.
    """
    length = success.shape[1]
    padded = padded_length(length)
    fits = padded > 30 * jax.lax.stop_gradient(lifetime)
    damping = jnp.where(fits, 0.0, jnp.log(1e3) / padded) * jnp.arange(length)
    damp, grow = jnp.exp(-damping), jnp.exp(damping)
    spectrum = jnp.fft.rfft(jnp.concatenate([success, failure[None]]) * damp, n=padded)
    return jnp.fft.irfft(spectrum[:-1] / (1 - spectrum[-1]), n=padded)[:, :length] * grow
