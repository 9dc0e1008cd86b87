"""Problem files with more than the package has: a root of another kind, and applications of every need."""

from typing import Annotated, Any, ClassVar, Literal

import jax.numpy as jnp
from pydantic import Field

from qtn import _ranges as ranges
from qtn._pytree import pytree
from qtn.evaluators.outcome import Info, Outcome
from qtn.merit.quantities import Better, Quantity
from qtn.problem import cost, load, overrides, quantities, rules, structures
from qtn.problem import number as unit
from qtn.problem.application.application import Application, Needs
from qtn.problem.application.teleportation import Teleportation
from qtn.problem.number import Number
from qtn.problem.root import Root
from qtn.problem.schema import Config
from qtn.problem.table import Built


@pytree
class Source:
    """A source of pairs that arrive one by one, each after a whole number of clicks."""

    p_success: Any
    period: Any
    werner: Any
    double_pairs: Any


class Clicks:
    """Evaluates a source: geometric arrivals of Werner pairs, the worse the likelier a second one comes with it."""

    def evaluate(self, source):
        times = source.period * jnp.arange(1.0, 65.0)
        probability = source.p_success * (1 - source.p_success) ** jnp.arange(64)
        werner = source.werner * (1 - source.double_pairs * source.p_success)
        state = jnp.diag(jnp.stack([jnp.ones(()), werner, -werner, werner]))
        info = Info(tail_mass=jnp.zeros(()), grid_error=jnp.zeros(()), step=source.period, num_steps=64)
        return Outcome(
            mean_time=source.period / source.p_success, state=state, times=times, probability=probability, info=info
        )

    def summarise(self, source):
        return self.evaluate(source).summary


class Line(Root):
    """A source in place of a chain."""

    model: Literal["clicks"]
    p_success: Annotated[float, Number("Success of a click", ranges.POSITIVE_PROBABILITY)]
    period_ns: Annotated[float, Number("Time between clicks", ranges.POSITIVE, unit=unit.Unit("ns", "_ns", 1e-9))]
    werner: Annotated[float, Number("Werner parameter", ranges.WERNER)]
    double_pairs: Annotated[float, Number("Second pairs for each", ranges.PROBABILITY)] = 0.0

    @classmethod
    def build(cls, table):
        numbers = cls.in_si(table)
        return Source(**{name: jnp.asarray(x, float) for name, x in numbers.items()})

    @classmethod
    def evaluator(cls, config):
        return Clicks()

    @classmethod
    def title(cls, table):
        return "a source"

    @classmethod
    def rows(cls, evaluation):
        return {"clicks_hz": 1 / float(evaluation.system[0].period)}


@pytree
class Patience:
    """Asks for the probability that a pair is there in time."""

    deadline: Any

    def run(self, result, chain):
        late = jnp.clip((result.times - self.deadline) / 1e-3, -50.0, 50.0)
        return jnp.sum(result.probability / (1 + jnp.exp(late)))


class Punctuality(Built, Application):
    """Needs the distribution of the waiting time."""

    needs = Needs.OUTCOME
    roots = ("chain", "line")
    builder = Patience
    quantities: ClassVar = (
        Quantity("in_time", "", "in time", lambda d: d.use, in_use=True, better=Better.MORE, most=1.0),
    )

    model: Literal["punctuality"]
    deadline_s: Annotated[float, Number("When it is too late", ranges.POSITIVE, unit=unit.S)]


@pytree
class Tilt:
    """Asks for a coefficient that twirling removes."""

    def run(self, result, chain):
        return result.state[3, 0] - result.state[0, 3]


class Balance(Built, Application):
    """Needs the whole state."""

    needs = Needs.STATE
    builder = Tilt
    quantities: ClassVar = (Quantity("tilt", "", "tilt", lambda d: d.use, in_use=True, better=Better.MORE),)

    model: Literal["balance"]


class Larger(Config):
    """A file may be about a source, and has three applications."""

    line: Line | None = None
    application: Annotated[Teleportation | Punctuality | Balance, Field(discriminator="model")] | None = None


def enlarge(monkeypatch):
    """Let all readers of files know these."""
    for module in (cost, load, overrides, quantities, rules, structures):
        monkeypatch.setattr(module, "Config", Larger)
