"""The tensors of a network: every Pauli is two bits, every index of the contraction has two values.

    Pauli = (x, z):  I = (0, 0),  Z = (0, 1),  X = (1, 0),  Y = (1, 1)

Joining a half to the qubit of a node keeps x: CNOT, depolarising noise and the measurement in Z never mix {I, Z} with
{X, Y}, and the x of the half is that of the qubit. So the x of a node is one index shared by all of its tensors. An
outcome m is an index b as well, b = 0 its probability and b = 1 its mean of (-1)^m; it is the z of the measured half. A
correction by X of the far half identifies b with the z of that half, one by Z with its x. What remains:

    join      D[x, b, z, z']        of one half: z' before, z after
    segment   R[x, z, x', z']       Pauli coefficients of the pair
    end       e[x, z]               what is asked of a kept qubit

A tree whose links are 4 x 4 x 4 tensors thus has bonds of 4, and a loop adds bonds of 2 and not of 16.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from qtn._array import Array
from qtn.networks.layout import Layout, Segment
from qtn.networks.network import Network
from qtn.states.basis import BELL_SIGNS
from qtn.steps.swap import gate_factors

BITS = np.array([0, 3, 1, 2])
"""Pauli of 2 x + z."""

PAULI_OF_BITS = np.argsort(BITS)
"""2 x + z of each Pauli."""

_JOIN = np.zeros((2, 2, 2, 2))
"""D of a perfect CNOT: an outcome b = 1 multiplies the qubit by Z, and CNOT takes YY to -XZ."""
for _x, _b, _z in np.ndindex(2, 2, 2):
    _JOIN[_x, _b, _z ^ _b, _z] = -1 if _x and _b and _z else 1


def joins(network: Network) -> Float[Array, "nodes 2 2 2 2"]:
    """Return D[x, b, z, z'] of all nodes: p2 of everything but the trace, and 2 eta - 1 of an outcome."""
    lost = np.zeros((2, 2, 2, 2))
    lost[0, 0, 0, 0] = 1
    p2 = network.two_qubit[:, None, None, None, None]
    bit = jnp.stack([jnp.ones_like(network.readout), 2 * network.readout - 1], axis=-1)
    return (p2 * _JOIN + (1 - p2) * lost) * bit[:, None, :, None, None]


def pair_states(network: Network, segments: Sequence[Segment]) -> Float[Array, "segments 4 4"]:
    """Return the pair of every segment: its links in its direction, joined by swaps.

    out[i, k] = f_k S_k left[i, k] right[k, k], link by link (see `swap_map`); f holds p_swap, p2 and eta of the node.
    """
    longest = max(len(each.path) for each in segments)
    links, ends, nodes, used = (np.zeros((longest, len(segments)), int) for _ in range(4))
    for column, each in enumerate(segments):
        links[: len(each.path), column], ends[: len(each.path), column] = zip(*each.path, strict=True)
        nodes[1 : len(each.path), column], used[1 : len(each.path), column] = each.swaps, 1

    def oriented(link: Any, end: Any) -> Array:
        states = network.states[link]
        return jnp.where(end[:, None, None] == 0, states, jnp.swapaxes(states, 1, 2))

    def join(left: Array, there: tuple[Array, ...]) -> tuple[Array, None]:
        link, end, node, swaps = there
        right = jnp.diagonal(oriented(link, end), axis1=1, axis2=2)
        factors = network.p_swap[node][:, None] * gate_factors(network.two_qubit[node], network.readout[node])
        joined = left * (factors * BELL_SIGNS * right)[:, None, :]
        return jnp.where(swaps[:, None, None] == 1, joined, left), None

    pairs = oriented(links[0], ends[0])
    if longest > 1:
        pairs = lax.scan(join, pairs, tuple(jnp.asarray(each[1:]) for each in (links, ends, nodes, used)))[0]
    turned = pairs[:, :, [0, 3, 2, 1]] * BELL_SIGNS  # a Hadamard gate on the second qubit
    return jnp.where(np.array([each.graph for each in segments])[:, None, None], turned, pairs)


def skeleton(plan: Layout) -> tuple[list[tuple[str, ...]], list[tuple[str, str]]]:
    """Return the indices of all tensors of `tensors`, and (x, z) of every qubit once all halves are joined."""

    def x(site: int) -> str:
        return f"x{plan.receiver[site]}"

    def join(site: int, segment: int) -> tuple[str, str]:
        place = plan.order[site].index(segment)
        return f"z{site}.{place}", f"z{site}.{place - 1}"

    found: list[tuple[str, ...]] = []
    for number, each in enumerate(plan.segments):
        u, v = each.first, each.second
        if each.tree and plan.order[u][0] == number:
            found.append((x(u), f"z{u}.0", x(v), f"z{v}.0"))
        elif each.tree:
            found.append((x(u), *join(u, number), x(v), f"z{v}.0"))
        else:
            between = (f"b{number}",) if each.checked and not each.graph else ()
            crossed = (x(u),) if each.graph else between
            found.append((x(u), x(v), *between, *join(u, number)))
            found.append((x(v), *crossed, *join(v, number)))
    return found, [(x(site), f"z{site}.{len(own) - 1}") for site, own in enumerate(plan.order)]


def tensors(network: Network, plan: Layout) -> list[Array]:
    """Return the tensors of all segments and joins, in the order of `skeleton`."""
    nodes = np.array([site.node for site in plan.sites])
    first, second = np.array([[each.first, each.second] for each in plan.segments]).T
    at_first, at_second = (joins(network)[nodes[ends]] for ends in (first, second))
    pairs = pair_states(network, plan.segments)[:, BITS][:, :, BITS].reshape(-1, 2, 2, 2, 2)
    through = jnp.einsum("sxboi,sxbvb->sxoivb", at_first, pairs)  # an outcome corrects by X: b is z of the far half
    across = jnp.einsum("sxvoi,sxvvw->sxoivw", at_first, pairs)  # by Z: b is its x
    ignored = jnp.einsum("sxoi,sxv->sxvoi", at_first[:, :, 0], pairs[:, :, 0, :, 0])
    checked = jnp.einsum("sxboi,sxbvb->sxvboi", at_first, pairs) / 2
    crossed = jnp.einsum("sxvoi,sxvvx->sxvoi", at_first, pairs)
    found = []
    for number, each in enumerate(plan.segments):
        if each.tree and plan.order[each.first][0] == number:
            found.append(pairs[number])
        elif each.tree:
            found.append((across if each.graph else through)[number])
        elif each.graph:
            found += [crossed[number], at_second[number]]
        elif each.checked:
            found += [checked[number], at_second[number]]
        else:
            found += [ignored[number], at_second[number][:, 0]]
    return found


def measured(readout: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Return e[x, z] of a measurement in X whose outcome corrects the qubit of the same x by Z."""
    bit = 2 * readout - 1
    return jnp.array([[1.0, 0.0], [0.0, 0.0]]) + bit * np.array([[0.0, 0.0], [1.0, 0.0]])
