"""Which points of a sweep are possible: numbers that are allowed one by one may not go together."""

from collections.abc import Mapping
from typing import Any

from qtn.evaluators.delivery import require_time_to_herald
from qtn.links.link import Link
from qtn.problem.names import root_table
from qtn.problem.problem import Problem


class Validity:
    """Builds what a point changes with concrete numbers, as a file would; each combination of a table once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._known: dict[Any, str] = {}

    def __call__(self, values: Mapping[str, float]) -> str:
        """Return why numbers (dotted name -> value) do not go together; "" if they do."""
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
                if isinstance(built, Link) and self.problem.config.evaluate.herald_decay:
                    require_time_to_herald(built)
            else:
                root.build(found)
        except ValueError as error:
            return str(error)
        return ""


def table_of(name: str) -> tuple[str, ...]:
    """Return the path, below the root, of the link or node that a number belongs to; () where that is not one."""
    _, first, *rest = name.split(".")
    if first in ("link", "node"):
        return (first,)
    return (first, rest[0]) if first in ("links", "nodes") else ()
