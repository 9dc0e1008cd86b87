"""What is tuned, as a function with gradients."""

import abc
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn._array import Array

Numbers = Mapping[str, Any]
System = Callable[[Numbers], tuple[Any, ...]]
"""{name: number} -> what an evaluator takes: chain and schedule, or whatever is evaluated as a whole."""
Judge = Callable[[Numbers, Any, Any], tuple[Any, Mapping[str, Any]]]
"""(numbers, what `Model.values` returns, constants) -> (what is maximised, slacks)."""


class Model(abc.ABC):
    """A system that depends on numbers, and what it is judged by."""

    def __init__(
        self, system: System, judge: Judge, evaluator: Any, start: Mapping[str, float], *, in_time: bool
    ) -> None:
        """Prepare the programs that all evaluations share.

        Args:
            system: pure; called with traced numbers.
            judge: likewise.
            evaluator: what evaluates the system at full resolution.
            start: all numbers, by name.
            in_time: whether the judge takes an `Outcome`, and not only its means.
        """
        self.judge = judge

    def arrays(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        """Return the numbers as arrays, each of its own."""
        return {name: np.array(value, dtype=float) for name, value in numbers.items()}

    def slack_names(self, numbers: Mapping[str, float], values: Any, constants: Any) -> list[str]:
        """Return the names of the slacks, in the order of `gradients`."""
        return sorted(jax.eval_shape(self.judge, self.arrays(numbers), values, constants)[1])

    def parts(self, numbers: Numbers, values: Any, constants: Any) -> list[Array]:
        """Return what is maximised and the slacks in the order of their names, all in double precision."""
        value, slacks = self.judge(numbers, values, constants)
        return [jnp.asarray(part, dtype=float) for part in (value, *(slacks[name] for name in sorted(slacks)))]

    @abc.abstractmethod
    def plan(self, numbers: Mapping[str, float], *, fine: bool) -> Any:
        """Return what some numbers are evaluated on: a coarse way that suits them, or full resolution."""

    @abc.abstractmethod
    def values(self, plan: Any, numbers: Mapping[str, float]) -> Any:
        """Return what is judged: mean time and Pauli coefficients (17,), a `Summary`, or an `Outcome`."""

    @abc.abstractmethod
    def gradients(
        self, plan: Any, numbers: Mapping[str, float], free: Collection[str], constants: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (Jacobian (1 + m, n) by the free numbers, values (1 + m,)): the objective, then the slacks by name."""


class WholeModel(Model):
    """A system that its evaluator takes as a whole: one program with gradients, always at full resolution."""

    def __init__(
        self, system: System, judge: Judge, evaluator: Any, start: Mapping[str, float], *, in_time: bool
    ) -> None:
        super().__init__(system, judge, evaluator, start, in_time=in_time)
        reduce = evaluator.evaluate if in_time else evaluator.summarise

        def parts(moved: Numbers, still: Numbers, constants: Any) -> tuple[Array, Array]:
            numbers = {**still, **moved}
            found = jnp.stack(self.parts(numbers, reduce(*system(numbers)), constants))
            return found, found

        self._values = jax.jit(lambda numbers: reduce(*system(numbers)))
        self._gradients = jax.jit(jax.jacrev(parts, has_aux=True))

    def plan(self, numbers: Mapping[str, float], *, fine: bool) -> None:
        """Return None: there is one way."""

    def values(self, plan: None, numbers: Mapping[str, float]) -> Any:
        """Return what the evaluator returns."""
        return self._values(self.arrays(numbers))

    def gradients(
        self, plan: None, numbers: Mapping[str, float], free: Collection[str], constants: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the Jacobian and the values of `Model.gradients`."""
        arrays = self.arrays(numbers)
        moved = {name: arrays.pop(name) for name in free}
        slopes, found = self._gradients(moved, arrays, constants)
        columns = [np.asarray(slopes[name]) for name in free]
        return np.stack(columns, axis=1) if columns else np.zeros((len(found), 0)), np.asarray(found)
