"""Bond on demand: give a tolerance instead of a bond."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float, Int

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.circuits.circuit import Circuit
from qtn.circuits.noise import NoiseModel
from qtn.circuits.run import RunInfo, finished, prepare
from qtn.states.trains import TrainState, require_count
from qtn.tensors.segments import run_segments
from qtn.tensors.split import truncation


@pytree
class Convergence:
    """How a tolerance was met, segment by segment."""

    bond: Int[Array, "segments"]
    """Bond at which each segment was accepted; segments that fit exactly are not listed."""
    discarded: Float[Array, "segments"]
    """Fraction of the squared 2-norm that each accepted run discarded."""
    share: Float[Array, "segments"]
    """What it was allowed to discard."""
    reruns: Int[Array, "segments"]
    """Runs of each segment that were thrown away."""
    infidelity: Float[Array, ""]
    """Estimate for the whole: one minus the product of the kept fractions."""
    tolerance: Float[Array, ""]
    """What was asked for."""
    info: RunInfo
    """As from `run`."""

    @property
    def met(self) -> bool:
        """Whether the estimate is within the tolerance."""
        return bool(self.infidelity <= self.tolerance)

    def sentences(self) -> list[str]:
        """Describe the outcome, with a cure."""
        if not len(self.bond):
            return ["Everything fitted exactly: nothing was cut."]
        text = "is within" if self.met else "exceeds"
        lines = [
            f"The estimated infidelity {float(self.infidelity):.2e} {text} the tolerance {float(self.tolerance):.2e}.",
            f"{len(self.bond)} segments ran at bonds {int(jnp.min(self.bond))} to {int(jnp.max(self.bond))}, "
            f"{int(jnp.sum(self.reruns))} reruns.",
        ]
        if not self.met:
            short = np.nonzero(np.asarray(self.discarded > self.share))[0].tolist()
            lines.append(f"Segments {short} needed more than `max_bond`: increase it, or the tolerance.")
        return lines + [line for line in self.info.sentences()[1:] if not line.startswith("Bonds were cut")]


def run_on_demand(
    circuit: Circuit,
    noise: NoiseModel | None = None,
    *,
    tolerance: float,
    state: TrainState | None = None,
    max_bond: int = 256,
    start_bond: int = 16,
    sweeps_per_segment: int = 2,
    relative: Any = 1e-7,
) -> tuple[TrainState, Convergence]:
    """Run a circuit at bonds that grow only where the discarded weight asks for it.

    The program is cut in time into segments of a few sweeps. Each runs at one static bond from a stored state; if it
    discards more than its share of what is left of the tolerance, it alone is run again from there at the next bond
    (16, 24, 32, 48, ...). What it does not use, later segments may. Segments that follow start at the bond that was
    reached, or lower where every bond was cut to a lower rank (bonds near the ends, which need no cut, keep it up).

    Args:
        circuit: as in `run`.
        noise: as in `run`.
        tolerance: in (0, 1), largest estimated loss of the squared 2-norm: of amplitudes for an `MPS`, where it
            estimates the infidelity; of rho (Hilbert-Schmidt) for an `MPDO`, where it bounds no fidelity.
        state: as in `run`.
        max_bond: where it ends, met or not.
        start_bond: exact below it, and the first bond that is tried.
        sweeps_per_segment: more: fewer compiled calls, less to choose.
        relative: singular values below this fraction of the largest are never worth a bond; what they lose counts.

    Returns:
        state: as from `run`.
        convergence: bonds, losses, reruns and whether the tolerance is met.

    Note:
        `run(..., relative=...)` drops by size, cut by cut, and says afterwards what that cost in all; here the cost in
        all is given, and bonds follow. Needs values: neither for `jit` nor for `grad`; take the bond that it reports
        and call `run` there.

    Example:
        >>> from qtn.circuits import circuit, gate
        >>> pairs = [(k, k + 1) for k in range(11)]
        >>> steps = [gate("RX", range(12), 0.4), gate("RZZ", pairs, 0.4)] * 8
        >>> state, convergence = run_on_demand(circuit(12, steps), tolerance=1e-3, start_bond=2)
        >>> convergence.met, int(convergence.bond[0]) < int(convergence.bond[-1]) <= 16
        (True, True)
    """
    _checks.require_double_precision()
    if isinstance(tolerance, Tracer) or not 0 < float(tolerance) < 1:
        raise ValueError(f"Argument `tolerance` must be a number in (0, 1), but is {tolerance!r}.")
    require_count("sweeps_per_segment", sweeps_per_segment)
    prepared = prepare(circuit, noise, state)
    steps, train, ones, twos = prepared.steps, prepared.train, prepared.ones, prepared.twos
    bond = train.shape[1]
    if require_count("start_bond", start_bond) > max_bond or bond > max_bond:
        raise ValueError(
            f"Argument `max_bond` must be at least `start_bond` = {start_bond} and the bond {bond} of the "
            f"state, but is {max_bond}."
        )
    if any(isinstance(leaf, Tracer) for leaf in (train, ones, twos)):
        raise ValueError("`run_on_demand` decides by values: call it outside transformations, or use `run`.")
    rule = truncation(max_bond, relative=relative)
    budget = -float(np.log1p(-tolerance))
    done, segments = run_segments(
        train, steps, ones, twos, rule, start_bond=start_bond, budget=budget, length=sweeps_per_segment
    )
    final, info = finished(prepared, done)
    lost = jnp.array([segment.lost for segment in segments])
    convergence = Convergence(
        bond=jnp.array([segment.bond for segment in segments], int),
        discarded=-jnp.expm1(-lost),
        share=-jnp.expm1(-jnp.array([segment.share for segment in segments])),
        reruns=jnp.array([segment.reruns for segment in segments], int),
        infidelity=-jnp.expm1(-jnp.sum(lost)),
        tolerance=jnp.asarray(tolerance),
        info=info,
    )
    return final, convergence
