"""What is tuned, as a function with gradients that costs no compilation for a new tree."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn.evaluators.extrapolate import outcome_on, values_on
from qtn.evaluators.fold import Run, apply
from qtn.evaluators.plan import GridPlan
from qtn.evaluators.tape import Tape
from qtn.links.chain import Chain
from qtn.links.link import Heralded, herald
from qtn.schedules.tree import Schedule
from qtn.steps.level import Level

Numbers = Mapping[str, Any]
System = Callable[[Numbers], tuple[Chain, Schedule]]
Judge = Callable[[Numbers, Any, Any], tuple[Any, Mapping[str, Any]]]
"""(numbers, what `Model.values` returns, constants) -> (what is maximised, slacks)."""


class Model:
    """A system that depends on numbers, and what it is judged by; joins run one by one, followed by a tape."""

    def __init__(
        self, system: System, judge: Judge, level: Level, start: Mapping[str, float], *, in_time: bool = False
    ) -> None:
        """Split the system into leaves that move with the numbers and leaves that do not.

        Args:
            system: pure; called with traced numbers.
            judge: likewise.
            level: state level.
            start: all numbers, by name.
            in_time: whether the judge takes an `Outcome`, and not the values of `values_on`.
        """
        self.level, self._on = level, outcome_on if in_time else values_on
        numbers = self.arrays(start)
        leaves, self._structure = jax.tree.flatten(system(numbers))
        traced = jax.make_jaxpr(lambda numbers: jax.tree.leaves(system(numbers)))(numbers)
        self._moves = [
            moves and leaf.dtype.kind == "f" for moves, leaf in zip(_dependent(traced.jaxpr), leaves, strict=True)
        ]
        self._still = [None if moves else leaf for moves, leaf in zip(self._moves, leaves, strict=True)]

        @jax.jit
        def moving(numbers: Numbers) -> list[Any]:
            found = jax.tree.leaves(system(numbers))
            return [leaf for leaf, moves in zip(found, self._moves, strict=True) if moves]

        @jax.jit
        def judged(numbers: Numbers, values: Any, constants: Any) -> list[Any]:
            value, slacks = judge(numbers, values, constants)
            return [jnp.asarray(part, dtype=float) for part in (value, *(slacks[name] for name in sorted(slacks)))]

        self._moving, self._judged, self._judge = moving, judged, judge

    def arrays(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        """Return the numbers as arrays, each of its own."""
        return {name: np.array(value, dtype=float) for name, value in numbers.items()}

    def system(self, numbers: Numbers, run: Run = apply) -> tuple[Chain, Schedule, tuple[Heralded, ...]]:
        """Return chain, schedule and what the links herald."""
        found = iter(run(self._moving, dict(numbers)))
        leaves = [next(found) if moves else still for moves, still in zip(self._moves, self._still, strict=True)]
        chain, schedule = jax.tree.unflatten(self._structure, leaves)
        return chain, schedule, tuple(run(herald, link) for link in chain.links)

    def values(self, plan: GridPlan, numbers: Mapping[str, float]) -> Any:
        """Return what is judged on given grids: mean time and Pauli coefficients (17,), or an `Outcome`."""
        return self._on(plan, *self.system(self.arrays(numbers)), self.level)

    def slack_names(self, numbers: Mapping[str, float], values: Any, constants: Any) -> list[str]:
        """Return the names of the slacks, in the order of `gradients`."""
        return sorted(jax.eval_shape(self._judge, self.arrays(numbers), values, constants)[1])

    def gradients(
        self, plan: GridPlan, numbers: Mapping[str, float], free: Collection[str], constants: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (Jacobian (1 + m, n) by the free numbers, values (1 + m,)): the objective, then the slacks by name."""
        tape, arrays = Tape(), self.arrays(numbers)
        moved = [arrays[name] for name in free]
        tape.watch(moved)
        values = self._on(plan, *self.system(arrays, tape), self.level, tape)
        found = tape(self._judged, arrays, values, constants)
        jacobian = [[float(each) for each in tape.gradients(part, moved)] for part in found]
        return np.array(jacobian).reshape(len(found), len(moved)), np.array([float(part) for part in found])


def _dependent(jaxpr: Any) -> list[bool]:
    """Return which results of a program depend on its arguments."""
    known = set(jaxpr.invars)
    for equation in jaxpr.eqns:
        if any(variable in known for variable in equation.invars if not hasattr(variable, "val")):
            known.update(equation.outvars)
    return [not hasattr(variable, "val") and variable in known for variable in jaxpr.outvars]
