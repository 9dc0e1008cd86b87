"""A loaded problem: its checked tables, and the chain, schedule and evaluator that they describe."""

import dataclasses
from functools import cached_property
from typing import Any

from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Result
from qtn.links.chain import Chain
from qtn.merit.key_rate import Fraction
from qtn.merit.preprocessing import preprocessed
from qtn.problem.evaluators import build_policy, evaluator_of
from qtn.problem.root import Root, roots
from qtn.problem.schema import Config
from qtn.schedules.policy import SwapAsap
from qtn.schedules.text import to_text
from qtn.schedules.tree import Schedule
from qtn.steps.distill import PROTOCOLS


@dataclasses.dataclass(frozen=True)
class Problem:
    """What a problem file says.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.problem.load import loads
        >>> problem = loads('''
        ... schema = 1
        ... [chain]
        ... num_links = 2
        ... link = { model = "abstract", p_success = 0.5, attempt_time_s = 1.0, werner = 0.9 }
        ... [schedule]
        ... tree = "swap(0, 1)"
        ... ''')
        >>> round(problem.chain.links[0].p_success.item(), 3)
        0.5
    """

    name: str
    """Name of the problem: that of the file's folder or of the file."""

    config: Config
    """The checked tables."""

    given_schedule: Schedule | None
    """The tree, with its cut-off and waiting times; None where it is left to a search."""

    also: tuple[str, ...] = ()
    """Quantities that are read besides those that the tables name, as in a front; optimisations are exact for them."""

    source: str = "problem"
    """What errors call it: the file."""

    @property
    def schedule(self) -> Schedule:
        """Return the schedule.

        Raises:
            ValueError: if there is none.
        """
        if self.given_schedule is None:
            raise ValueError(
                "schedule.tree: is missing; `qtn optimise` searches for the best one, or add `tree = ...` to [schedule]"
            )
        return self.given_schedule

    def with_schedule(self, schedule: Schedule) -> "Problem":
        """Return this problem with another schedule."""
        tree = to_text(schedule, protocol=PROTOCOLS[self.config.schedule.distill])
        table = self.config.schedule.model_copy(update={"tree": tree})
        config = self.config.model_copy(update={"schedule": table})
        return dataclasses.replace(self, config=config, given_schedule=schedule)

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the tables as plain dictionaries, defaults filled in, without what is absent."""
        return self.config.model_dump(exclude_none=True, by_alias=True)

    @property
    def written_out(self) -> tuple[str, ...]:
        """Return the keys of the tables that the application has written out of its own."""
        use = self.config.application
        return () if use is None else use.written_out

    @cached_property
    def root_key(self) -> str:
        """Return the key of the root table."""
        return next(key for key in roots(type(self.config)) if key in self.document)

    @property
    def root(self) -> type[Root]:
        """Return the class of the root table."""
        return roots(type(self.config))[self.root_key]

    @cached_property
    def chain(self) -> Chain:
        """Return the chain, where the root is one."""
        return self.built(self.document[self.root_key])

    def built(self, table: dict[str, Any]) -> Any:
        """Return what the root builds from its table, whose numbers may be traced, as [evaluate] wants it."""
        found, decays = self.root.build(table), self.config.evaluate.herald_decay
        return dataclasses.replace(found, herald_decay=decays) if isinstance(found, Chain) else found

    @property
    def policy(self) -> SwapAsap | None:
        """Return the policy, if the schedule is one."""
        return None if self.config.schedule.policy is None else build_policy(self.document["schedule"])

    @property
    def evaluator(self) -> Evaluator[Result]:
        """Return the evaluator of the root, or of the [evaluate] table with the grid of the [time] table.

        It is exact for what depends on the Bell weights of pairs; see `evaluator_with` for the whole state.
        """
        return self.evaluator_with(whole=False)

    def evaluator_with(self, *, whole: bool) -> Evaluator[Result]:
        """Return the same, of the whole state of pairs if that is wanted."""
        own = self.root.evaluator(self.config)
        return evaluator_of(self.config, whole=whole) if own is None else own

    @property
    def fraction(self) -> Fraction:
        """Return the key protocol of the [merit] table."""
        plain, noise = self.config.merit.protocol.fraction, self.config.merit.preprocessing
        if noise == 0.0:
            return plain
        return preprocessed(plain, None if isinstance(noise, str) else noise)
