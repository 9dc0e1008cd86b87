"""Which points of a sweep are possible: numbers that are allowed one by one may not go together."""

from collections.abc import Iterator, Mapping
from typing import Any

from qtn.evaluators.delivery import require_time_to_herald
from qtn.links.chain import Chain, chain
from qtn.links.link import Link, herald
from qtn.problem.names import chain_with, declaration, expand, initial_values, root_table
from qtn.problem.problem import Problem


class Validity:
    """Builds what a point changes with concrete numbers, as a file would; each combination of a table once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._known: dict[Any, str] = {}

    def __call__(self, values: Mapping[str, float]) -> str:
        """Return why numbers (dotted name -> value) do not go together; "" if they do."""
        if self.problem.root.routed and (told := self.problem.root.rerouted(root_table(self.problem, values))):
            return told
        parts: dict[tuple[str, ...], dict[str, float]] = {}
        for name, value in values.items():
            if name.startswith(f"{self.problem.root_key}."):
                parts.setdefault(table_of(name), {})[name] = value
        for path, numbers in parts.items():
            key = path, tuple(numbers.items())
            if key not in self._known:
                self._known[key] = self._reason(path, numbers)
            if self._known[key]:
                return self._known[key]
        return ""

    def _reason(self, path: tuple[str, ...], numbers: Mapping[str, float]) -> str:
        found: Any = root_table(self.problem, numbers)
        root = self.problem.root
        try:
            if path:
                for part in path:
                    found = found[int(part) if isinstance(found, list) else part]
                built = root.part(path[0], found).build(found)
                if isinstance(built, Link):
                    built = chain(built, num_links=1)
            else:
                built = root.build(found)
            if isinstance(built, Chain) and self.problem.config.evaluate.herald_decay:
                require_time_to_herald(built)
        except ValueError as error:
            return str(error)
        return ""


def table_of(name: str) -> tuple[str, ...]:
    """Return the path, below the root, of the link or node that a number belongs to; () where that is not one."""
    _, first, *rest = name.split(".")
    if first in ("link", "node"):
        return (first,)
    return (first, rest[0]) if first in ("links", "nodes") else ()


def moving_rounds(problem: Problem) -> Iterator[str]:
    """Return a sentence for each number in [optimise] that moves how long a link holds, if its attempts are given."""
    table = problem.config.optimise
    if table is None or not problem.root.scheduled or not problem.config.evaluate.herald_decay:
        return
    root: Any = problem.root
    tables = root.link_tables(problem.document[problem.root_key])
    given = [i for i, (_, link) in enumerate(tables) if link.get("attempt_time_s") is not None]

    def spare(values: dict[str, float]) -> list[float]:
        line = chain_with(problem, values)
        pairs = [herald(line.link(i)) for i in given]
        return [float(pair.attempt_time - pair.held.max()) for pair in pairs if pair.holds]

    names = expand(problem, table.parameters) if given else []
    for name, value in initial_values(problem, names).items():
        moved = value * (1 + 1e-3) if declaration(problem, name).range.lower >= 1 else value * (1 - 1e-3)
        if spare({name: moved}) != spare({}):
            yield (
                f"optimise.parameters: {name} moves how long memories hold qubits while a link heralds, or the attempt "
                "that must be longer: leave attempt_time_s out, so that it follows from the lengths, or set "
                "evaluate.herald_decay = false"
            )
