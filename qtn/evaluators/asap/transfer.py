"""The contraction in time: from link to link, a message over (waiting time, Pauli) passes along the chain.

Link j delivers at T_j. The node between links j - 1 and j swaps at the later of both, so the right half of link j - 1
waits (T_j - T_(j-1))+ and the left half of link j waits (T_(j-1) - T_j)+: the kernel between them is a decay over
|T_(j-1) - T_j|, two one-sided linear recurrences. With Pauli corrections at delivery a swap joins only equal Paulis.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.arrival import all_fail, arrival
from qtn.evaluators.asap.sites import END_LABELS, Sites, same_pauli
from qtn.tensors.recurrence import decay_scan, two_sided_decay

ROW = 64
"""Powers on the grid are products of those of so many steps and of multiples of it."""


def arrivals(p: Float[Array, ""], attempt_steps: Float[Array, ""], num_steps: int, unit: bool) -> tuple[Array, Array]:
    """Return P(T = t) and P(T <= t) of a link at each step.

    Args:
        p: success probability.
        attempt_steps: attempt time [steps].
        num_steps: length of the grid.
        unit: whether `attempt_steps` is 1: then the geometric law is an outer product of powers. Derivatives with
            respect to `attempt_steps` are those of `qtn.evaluators.arrival.arrival`.
    """
    if not unit:
        mass = arrival(p, attempt_steps, num_steps)
        return mass, jnp.cumsum(mass)
    rows = -(-num_steps // ROW)
    powers = all_fail(p, jnp.arange(float(rows)) * ROW)[:, None] * all_fail(p, jnp.arange(float(ROW)))
    failed = powers.reshape(-1)[:num_steps]  # (1 - p)^t
    mass = jnp.concatenate([jnp.zeros(1), p * failed[:-1]])
    # an attempt that lasts a little longer than a step: the k-th success moves k times as far, right derivative
    moved = jnp.arange(num_steps) * mass
    later = attempt_steps - jax.lax.stop_gradient(attempt_steps)
    return mass + later * (jnp.concatenate([jnp.zeros(1), moved[:-1]]) - moved), 1 - failed - later * moved


def across(message: Float[Array, "k t"], rates: Float[Array, "k"], labels: tuple[int, ...]) -> Float[Array, "k t"]:
    """Carry a message over a node, from the left half of a link to the right half of the link before it.

        out[b, s] = sum_a (sum_{t >= s} e^(-rate_b (t - s)) m[a, t] + sum_{t < s} e^(-rate_a (s - t)) m[a, t])

    with a over the labels of the same Pauli as b.
    """
    if len(set(labels)) == len(labels):
        return two_sided_decay(message, rates)
    same = same_pauli(labels, labels)
    total = same @ message
    return decay_scan(total[:, ::-1], rates)[:, ::-1] + same @ decay_scan(message, rates) - total


def sweep(
    sites: Sites, message: Float[Array, "k t"], unit: bool, stride: int, latest: Array | None = None
) -> tuple[Float[Array, "k t"], Float[Array, "t"]]:
    """Carry a message from link n - 1 down to link 0.

    Args:
        sites: the chain.
        message: (k, t), what stands right of link n - 1, as a function of its label and its delivery time.
        unit: see `arrivals`.
        stride: of every so many links the message is stored for the reverse pass; the others are computed again.
        latest: deliveries after this step do not count; None = all do.

    Returns:
        (message, arrived): what stands right of link 0, and P(T_j <= t for all j > 0), (t,).
    """
    num_steps = message.shape[1]
    counts = None if latest is None else jnp.arange(num_steps) <= latest

    def one(carry, site):
        message, arrived = carry
        p, attempt_steps, matrix, rates = site
        mass, below = arrivals(p, attempt_steps, num_steps, unit)
        mass = mass if counts is None else jnp.where(counts, mass, 0.0)
        passed = matrix @ message if sites.doubled else jnp.diagonal(matrix)[:, None] * message
        return (across(mass * passed, rates, sites.labels), arrived * below), None

    def group(carry, part):
        return jax.lax.scan(jax.checkpoint(one), carry, part, reverse=True)

    stack = (sites.p_success, sites.attempt_steps, sites.matrix, sites.rates)
    inner = jax.tree.map(lambda each: each[1:], stack)
    alone = inner[0].shape[0] % stride if stride > 1 else inner[0].shape[0]
    # the last `alone` links one by one, the others in groups
    cut = inner[0].shape[0] - alone
    carry, _ = group((message, jnp.ones(num_steps)), jax.tree.map(lambda each: each[cut:], inner))
    if cut:
        groups = jax.tree.map(lambda each: each[:cut].reshape(-1, stride, *each.shape[1:]), inner)
        carry, _ = jax.lax.scan(jax.checkpoint(group), carry, groups, reverse=True)
    return carry


@partial(jax.jit, static_argnames=("num_steps", "unit", "stride"))
def contract(sites: Sites, num_steps: int, unit: bool, stride: int) -> tuple[Float[Array, "4 4"], Float[Array, "t"]]:
    """Contract a chain whose end nodes measure at once.

    Args:
        sites: the chain, without the identity on the bond.
        num_steps: length of the grid.
        unit: see `arrivals`.
        stride: see `sweep`.

    Returns:
        (state, arrived): mean state, unnormalised, and P(all links have delivered by t), (t,).

    Note:
        Exact on the grid, differentiable in both modes. O(n k t) time; the reverse pass stores n / stride + stride
        messages.
    """
    message, arrived = sweep(sites, jnp.ones((len(sites.labels), num_steps)), unit, stride)
    mass, below = arrivals(sites.p_success[0], sites.attempt_steps[0], num_steps, unit)
    arrived = arrived * below
    paulis = same_pauli((0, 1, 2, 3), END_LABELS)
    columns = (paulis @ (sites.first * (message @ mass))) @ same_pauli(sites.labels, (1, 2, 3))
    return jnp.concatenate([(paulis @ sites.alone * arrived[-1])[:, None], columns], axis=1), arrived


@partial(jax.jit, static_argnames=("num_steps", "unit", "stride"))
def resolve(sites: Sites, num_steps: int, unit: bool, stride: int) -> Float[Array, "t 4 4"]:
    """Contract a chain for each completion time, the last qubits held until then.

    What is completed at m is the contraction over delivery times up to m, less that up to m - 1.

    Args:
        sites: the chain, with the identity on the bond.
        num_steps: length of the grid.
        unit: see `arrivals`.
        stride: see `sweep`.

    Returns:
        Pauli coefficients of the pair delivered at each time, times its probability.

    Note:
        Exact on the grid, differentiable in both modes, O(n k t^2) time.
    """
    times = jnp.arange(num_steps)
    mass, _ = arrivals(sites.p_success[0], sites.attempt_steps[0], num_steps, unit)
    paulis, columns = same_pauli((0, 1, 2, 3), END_LABELS), same_pauli(sites.labels, (0, 1, 2, 3))

    def upto(latest: Array, completed: Array) -> Float[Array, "4 4"]:
        held = jnp.maximum(completed - times, 0)
        message, _ = sweep(sites, jnp.exp(-sites.last_rates[:, None] * held), unit, stride, latest)
        waited = jnp.where(times <= latest, mass, 0.0) * jnp.exp(-sites.first_rates[:, None] * held)
        return paulis @ (sites.first * (waited @ message.T)) @ columns

    def completed(time: Array) -> Float[Array, "4 4"]:
        return upto(time, time) - upto(time - 1, time)

    return jax.lax.map(jax.checkpoint(completed), times, batch_size=min(32, num_steps))
