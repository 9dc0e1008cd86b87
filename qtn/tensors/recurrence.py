"""Linear recurrences on a time axis: geometric memory, shifts, and division of power series.

All arrays end with the time axis, (..., num_steps), so that each component is contiguous.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BLOCK = 64

TWO_SIDED_BLOCK = 32
"""Measured: 32 and 64 are equally fast, 16 takes twice the time."""


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
        obey the same recurrence at `BLOCK` times the rate. O(t), differentiable in both modes.

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
        ends = decay_scan(inside[:, :-1, -1], rate * size)
        carry = jnp.pad(ends, ((0, 0), (1, 0)))
        inside = inside + carry[:, :, None] * jnp.exp(-rate[:, None] * (offset + 1.0))[:, None, :]
    return inside.reshape(num_components, -1)[:, :length]


def two_sided_decay(x: Float[Array, "k t"], rate: Float[Array, "k"]) -> Float[Array, "k t"]:
    """Sum past and future with exponential decay.

        y[k, t] = sum_s exp(-rate[k] |t - s|) x[k, s]

    Args:
        x: (k, t).
        rate: (k,), decay per step, >= 0.

    Returns:
        (k, t).

    Note:
        Exact, O(t), differentiable in both modes. The two recurrences share one symmetric matrix product a block;
        between blocks they run separately.

    Example:
        >>> import jax.numpy as jnp
        >>> two_sided_decay(jnp.array([[1.0, 2.0, 3.0]]), jnp.array([0.0])).tolist()
        [[6.0, 6.0, 6.0]]
    """
    num_components, length = x.shape
    size = min(TWO_SIDED_BLOCK, length)
    num_blocks = -(-length // size)
    padded = jnp.pad(x, ((0, 0), (0, num_blocks * size - length)))
    blocks = padded.reshape(num_components, num_blocks, size)
    offset = jnp.arange(size)
    kernel = jnp.exp(-rate[:, None, None] * jnp.abs(offset[:, None] - offset[None, :]))
    out = jnp.einsum("knj,kij->kni", blocks, kernel)
    if num_blocks > 1:
        late, early = kernel[:, -1], kernel[:, 0]  # decay towards the last and towards the first step of a block
        last, first = (jnp.einsum("knj,kj->kn", blocks, each) for each in (late, early))
        past = jnp.pad(decay_scan(last[:, :-1], rate * size), ((0, 0), (1, 0)))
        future = jnp.pad(decay_scan(first[:, :0:-1], rate * size)[:, ::-1], ((0, 0), (0, 1)))
        fade = jnp.exp(-rate)[:, None]
        out = out + past[:, :, None] * (fade * early)[:, None] + future[:, :, None] * (fade * late)[:, None]
    return out.reshape(num_components, -1)[:, :length]


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


def convolve(x: Float[Array, "*k t"], y: Float[Array, "*m t"]) -> Float[Array, "*n t"]:
    """Return z[.., t] = sum_s x[.., s] y[.., t - s] on the grid; leading axes broadcast.

    Note:
        One zero-padded FFT of 2t points for each argument: rounding is relative to the largest value.
    """
    length = max(x.shape[-1], y.shape[-1])
    product = jnp.fft.rfft(x, n=2 * length) * jnp.fft.rfft(y, n=2 * length)
    return jnp.fft.irfft(product, n=2 * length)[..., :length]


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
        One zero-padded FFT of 2t points. A result that outlasts the grid is damped by r^t with r^(2t) = 1e-3, so
        that what wraps round is suppressed; rounding grows as r^-t. Differentiable.
    """
    length = success.shape[1]
    padded = 2 * length
    fits = jax.lax.stop_gradient(padded > 30 * lifetime)
    damping = jnp.where(fits, 0.0, jnp.log(1e3) / padded) * jnp.arange(length)
    damp, grow = jnp.exp(-damping), jnp.exp(damping)
    spectrum = jnp.fft.rfft(jnp.concatenate([success, failure[None]]) * damp, n=padded)
    return jnp.fft.irfft(spectrum[:-1] / (1 - spectrum[-1]), n=padded)[:, :length] * grow
