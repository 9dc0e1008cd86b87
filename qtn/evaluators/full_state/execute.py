"""Run a timeline on the whole register: the numbers of a layout, and what is left at the end."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.full_state.events import Slot, Timeline
from qtn.evaluators.full_state.kernel import run_segment
from qtn.evaluators.full_state.layout import Layout, Site
from qtn.evaluators.full_state.numbers import decays, operator_stacks
from qtn.evaluators.full_state.rounds import Program
from qtn.links.chain import Chain
from qtn.states.basis import TRACE
from qtn.states.dense import DensityMatrix
from qtn.states.dense import reduced as reduced_matrix
from qtn.states.trains import MPDO
from qtn.steps.nodes import stacked_nodes
from qtn.tensors.contract import evaluate as contract
from qtn.tensors.contract import reduce_to
from qtn.tensors.train import Train, from_sites, scale


@pytree
class FullInfo:
    """How accurate an execution was."""

    discarded: Float[Array, "cuts"]
    """Discarded weight (squared Hilbert-Schmidt norm, trains normalised to 1) of every compression."""

    kept: Float[Array, ""]
    """Product over compressions of the fraction of the squared norm that was kept; 1 = nothing was discarded."""

    flagged: Float[Array, ""]
    """How many compressions may miss a part of the derivative: equal or zero singular values at the cut."""

    largest_bond: int = static()
    """Widest bond of all operations."""

    def sentences(self) -> list[str]:
        """Describe what deserves attention, with a cure."""
        lines = []
        if float(self.kept) < 1 - 1e-10:
            lines.append(
                f"Truncation kept {float(self.kept):.12g} of the squared norm: increase `max_bond` until the number "
                "you need stops changing."
            )
        if float(self.flagged) > 0:
            lines.append(
                f"{int(self.flagged)} compressions met equal or zero singular values: derivatives that would raise "
                f"the rank may be missing; `max_bond = {self.largest_bond}` cuts nothing."
            )
        return lines


@pytree
class FullOutcome:
    """The register after a timeline: one train for every set of correlated slots, each normalised."""

    trains: tuple[MPDO, ...]
    slots: tuple[tuple[Slot, ...], ...] = static()
    """The slots of each train, in order."""

    log_probability: Float[Array, ""]
    """Natural logarithm of the probability of everything that was post-selected: swaps, distillation, effects."""

    info: FullInfo

    @property
    def probability(self) -> Float[Array, ""]:
        """Return the probability (0 where it underflows: 1,024 swaps of 1/2)."""
        return jnp.exp(self.log_probability)

    def correlations(self, slots: Sequence[Slot]) -> Float[Array, "..."]:
        """Return tr(P_a x P_b x ... rho), (4,) * k, of k slots in this order, all others traced out."""
        slots = [(node, memory) for node, memory in slots]
        found: list[Slot] = []
        tensor = jnp.ones(())
        for train, names in zip(self.trains, self.slots, strict=True):
            chosen = [slot for slot in names if slot in slots]
            if chosen:
                trace = jnp.broadcast_to(TRACE, (train.num_sites, 4))
                part = reduce_to(train.train, [names.index(slot) for slot in chosen], trace)
                tensor = jnp.tensordot(tensor, part, 0)
                found += chosen
        missing = [slot for slot in slots if slot not in found]
        if missing:
            raise ValueError(f"Argument `slots` names {missing[0]}, which is empty after the timeline.")
        return jnp.transpose(tensor, [found.index(slot) for slot in slots])

    def pair(self, first: int, last: int) -> Float[Array, "4 4"]:
        """Return the Pauli coefficients of the pair of two nodes that hold one qubit each.

        Raises:
            ValueError: if a node holds no qubit, or several.
        """
        held = [slot for names in self.slots for slot in names if slot[1] >= 0]
        ends = [[slot for slot in held if slot[0] == node] for node in (first, last)]
        for node, found in zip((first, last), ends, strict=True):
            if len(found) != 1:
                raise ValueError(f"Node {node} holds {len(found)} qubits, not one: name the slots to `correlations`.")
        return self.correlations([ends[0][0], ends[1][0]])

    def density_matrix(self, slots: Sequence[Slot]) -> DensityMatrix:
        """Return the state of up to 12 slots, in this order."""
        tensor = self.correlations(slots)
        return reduced_matrix(MPDO(train=from_sites(_dense_sites(tensor))), range(len(slots)))


def _dense_sites(tensor: Array) -> list[Array]:
    """Return a dense tensor (4,) * k as a train without a decomposition."""
    k = tensor.ndim
    sites = [jnp.eye(4**place * 4).reshape(4**place, 4, -1) for place in range(k - 1)]
    return [*sites, tensor.reshape(-1, 4, 1)]


def execute(chain: Chain, timeline: Timeline, layout: Layout, program: Program) -> FullOutcome:
    """Run the segments of a program on pools of sites, and return the trains that are left, each normalised."""
    nodes = stacked_nodes(chain.nodes)
    ages = decays(chain, timeline, layout, nodes)
    stacks = operator_stacks(chain, timeline, layout, nodes)
    pools: dict[Any, Any] = {
        shape: np.zeros((length, shape[0], 4, shape[1])) for shape, length in program.pools.items()
    }
    logs: Any = np.zeros(())
    cuts, widest = [np.zeros((0, 3))], 1
    for spec, *index in program.segments:
        shapes = {(left, right) for left, right, _ in spec.inputs} | set(spec.outputs)
        part = {shape: pools[shape] for shape in shapes}
        part, more, found = run_segment(spec, part, ages, stacks.get(spec.operator, ()), tuple(map(np.asarray, index)))
        pools |= part
        logs = logs + more
        widest = max([widest, *(bond for shape in shapes for bond in shape)])
        if spec.operator[0] == "cut":
            cuts.append(found.reshape(-1, 3))
    trains, names = [], []
    for sites in layout.trains:
        train = from_sites([_site(site, pools, program) for site in sites])
        train, log = _normalised(train)
        logs = logs + log
        trains.append(MPDO(train=train))
        names.append(tuple(site.slot for site in sites))
    return FullOutcome(
        trains=tuple(trains), slots=tuple(names), log_probability=logs, info=_info(jnp.concatenate(cuts), widest)
    )


@jax.jit
def _normalised(train: Train) -> tuple[Train, Float[Array, ""]]:
    """Return a train of trace 1, and the logarithm of the trace that it had."""
    total = contract(train, jnp.broadcast_to(TRACE, (train.shape[0], 4)))
    safe = jnp.where(total > 0, total, 1.0)
    return scale(train, 1 / safe), jnp.where(total > 0, jnp.log(safe), -jnp.inf)


def _site(site: Site, pools: dict[tuple[int, int], Array], program: Program) -> Array:
    stored = pools[site.left, site.right][program.rows[id(site)]]
    return jnp.swapaxes(stored, 0, 2) if site.flipped else stored


@partial(jax.jit, static_argnames="widest")
def _info(cuts: Array, widest: int) -> FullInfo:
    cuts = jax.lax.stop_gradient(cuts)
    lost, before = cuts[:, 0], cuts[:, 1]
    kept = jnp.prod(jnp.where(before > 0, 1 - lost / jnp.where(before > 0, before, 1.0), 1.0))
    return FullInfo(discarded=lost, kept=kept, flagged=jnp.sum(cuts[:, 2]), largest_bond=widest)
