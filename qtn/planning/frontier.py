"""Keep the frontier of a search in a checkpoint: the candidates of each finished segment, and finished searches."""

from typing import Any

from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.records import Reader, Writer
from qtn.planning.candidates import Candidate

Known = tuple[list[Candidate], float, int]
"""Candidates of a segment, the longest mean time dropped so far [s], joins evaluated so far."""


class Frontier:
    """The finished segments of one sweep, in order; what is kept is found again bit by bit."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.writer, self.reader = checkpoint, Writer(), Reader()
        self.count = 0

    def find(self) -> Known | None:
        """Return what an earlier run found for the next segment, or None."""
        found = self.checkpoint.load(self._name())
        if found is None:
            return None
        pool, slowest, joins = self.reader.read(found[0], _listed(found[1]))
        for number, each in self.reader.objects.items():
            if id(each) not in self.writer.numbers:  # so that later segments refer to it by the same number
                assert number == len(self.writer.alive)
                self.writer.numbers[id(each)] = number
                self.writer.alive.append(each)
        self.count += 1
        return pool, slowest, joins

    def keep(self, pool: list[Candidate], slowest: float, joins: int) -> None:
        """Keep the next segment; of candidates that do not go on, only how they are made."""
        lasting = {id(each) for each in pool}
        document, arrays = self.writer.write(
            (pool, slowest, joins), lambda owner, field: field == "delivered" and id(owner) not in lasting
        )
        self.checkpoint.save(self._name(), document, _named(arrays))
        self.count += 1

    def _name(self) -> str:
        return f"segment-{self.count:04d}"


def finished(checkpoint: Checkpoint) -> Any:
    """Return the result of the search that this section belongs to, or None if it did not end."""
    found = checkpoint.load("result")
    return None if found is None else Reader().read(found[0], _listed(found[1]))


def keep(checkpoint: Checkpoint, result: Any) -> None:
    """Keep the result of a search, and drop its frontier: it is not needed any more."""
    document, arrays = Writer().write(result, lambda owner, field: field == "delivered")
    checkpoint.save("result", document, _named(arrays))
    checkpoint.discard("sweep-")


def _named(arrays: list[Any]) -> dict[str, Any]:
    """Return arrays by the names that a record takes."""
    return {f"{position:06d}": array for position, array in enumerate(arrays)}


def _listed(arrays: dict[str, Any]) -> list[Any]:
    """Return what `_named` was given."""
    return [arrays[name] for name in sorted(arrays)]
