"""Questions about distributed circuits: the pair rate from which on they pay."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from qtn import _checks
from qtn.dqc.couples import pairs_for
from qtn.dqc.distributed import Distributed, require_distributed
from qtn.dqc.processor import Processor
from qtn.dqc.run import run
from qtn.evaluators.pairs import Pairs

WIDEST = 1e6
"""Largest factor by which the rate is raised or lowered."""
SMALLEST_RTOL = 1e-12
"""Below it bisection does not end: neighbouring numbers differ by more."""


def break_even_rate(
    distributed: Distributed,
    pairs: Any,
    processor: Processor | Sequence[Processor],
    fidelity: Any,
    *,
    rtol: float = 1e-6,
    **options: Any,
) -> float:
    """Return the rate of pairs below which waiting costs more than something else that has a fidelity.

    That may be the same circuit on one processor with poorer gates, on fewer processors, or on pairs that are made
    faster and worse. All links are made faster or slower by one factor; their pairs stay as they are.

    Args:
        distributed: see `qtn.dqc.distribute`.
        pairs: see `run`.
        processor: see `run`.
        fidelity: of the alternative, in (0, 1).
        rtol: relative accuracy, at least 1e-12.
        **options: of `run`.

    Returns:
        rate: mean rate of a link on demand [Hz], of the slowest where they differ; 0 if the circuit is better however
            long it waits, inf if it never is.

    Raises:
        ValueError: if the circuit needs no pairs, or measures.

    Note:
        Values only, by bisection.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.circuits import circuit, gate
        >>> from qtn.dqc import distribute, processor, steady_pairs
        >>> from qtn.hardware.memory import dephasing_memory
        >>> bell = distribute(circuit(2, [gate("H", 0), gate("CX", (0, 1))]), qpus=[1, 1])
        >>> own, perfect = processor(dephasing_memory(t2=1.0)), [1.0, 0.0, 0.0, 0.0]
        >>> rate = break_even_rate(bell, steady_pairs(perfect, 1.0, p_success=0.001), own, 0.75)
        >>> round(rate, 2)  # one qubit waits in |+>: (1 + rate T2 / (1 + rate T2)) / 2
        1.0
    """
    least = float(_checks.require("fidelity", fidelity, lambda v: (v > 0) & (v < 1), "lie in (0, 1)"))
    _checks.require("rtol", rtol, lambda v: (v >= SMALLEST_RTOL) & (v < 1), f"lie in [{SMALLEST_RTOL:g}, 1)")
    couples = pairs_for(pairs, require_distributed(distributed).links)
    if not couples:
        raise ValueError("Argument `distributed` needs no pairs: its gates stay within processors.")

    @jax.jit
    def found(scale: Any) -> Any:
        step = next(iter(couples.values())).step / scale  # one grid: `pairs_for` has seen to it
        slower: dict[int, Pairs] = {id(each): dataclasses.replace(each, step=step) for each in couples.values()}
        made: Mapping[Any, Pairs] = {ends: slower[id(each)] for ends, each in couples.items()}
        return run(distributed, made, processor, **options).fidelity

    low, high = 1 / WIDEST, WIDEST
    if np.isnan(at_best := float(found(high))):
        raise ValueError("Argument `distributed` must end in a pure state without noise, but its circuit measures.")
    if at_best < least:
        return np.inf
    if float(found(low)) >= least:
        return 0.0
    while high / low > 1 + rtol:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if float(found(middle)) >= least else (middle, high)
    return high / max(float(each.mean_time) for each in couples.values())
