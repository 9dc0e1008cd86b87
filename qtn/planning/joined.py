"""The model of a chain that is joined along a tree: a new tree costs no compilation."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import jax
import numpy as np

from qtn.evaluators.delivery import Run, apply, delivering
from qtn.evaluators.extrapolate import outcome_on, values_on
from qtn.evaluators.levels import choose_level
from qtn.evaluators.plan import GridPlan
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.tape import Tape
from qtn.links.chain import Chain
from qtn.planning.grids import EXACT_LENGTHS, search_plans
from qtn.planning.model import Judge, Model, Numbers, System
from qtn.schedules.tree import Schedule


class JoinedModel(Model):
    """A chain that is joined along a tree; joins run one by one, followed by a tape."""

    def __init__(
        self, system: System, judge: Judge, evaluator: Renewal, start: Mapping[str, float], *, in_time: bool
    ) -> None:
        """Split the system into leaves that move with the numbers and leaves that do not."""
        super().__init__(system, judge, evaluator, start, in_time=in_time)
        self._whole, self._evaluator, self._on = system, evaluator, outcome_on if in_time else values_on
        self.level = evaluator.level or choose_level(*system(start), whole=evaluator.whole_state)
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

        self._moving, self._judged = moving, jax.jit(self.parts)

    def plan(self, numbers: Mapping[str, float], *, fine: bool) -> GridPlan:
        """Return a time grid that suits some numbers: a short one, or that of full resolution if it is not long."""
        system = self._whole(numbers)
        if fine:
            full = dataclasses.replace(self._evaluator, level=self.level).planned(*system).plan
            if full is not None and full.finest.num_steps in EXACT_LENGTHS:
                return full
        return search_plans([system], self.level)[0]

    def system(self, numbers: Numbers, run: Run = apply) -> tuple[Chain, Schedule]:
        """Return the chain, each link evaluated once, and the schedule."""
        found = iter(run(self._moving, dict(numbers)))
        leaves = [next(found) if moves else still for moves, still in zip(self._moves, self._still, strict=True)]
        chain, schedule = jax.tree.unflatten(self._structure, leaves)
        return delivering(chain, run, checked=False), schedule

    def values(self, plan: GridPlan, numbers: Mapping[str, float]) -> Any:
        """Return mean time and Pauli coefficients (17,) on given grids, or an `Outcome`."""
        return self._on(plan, *self.system(self.arrays(numbers)), self.level)

    def gradients(
        self, plan: GridPlan, numbers: Mapping[str, float], free: Collection[str], constants: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the Jacobian and the values of `Model.gradients`."""
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
