"""What a file is about: its root table, which says what there is, what it is called and how it is evaluated."""

import abc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qtn.merit.quantities import QUANTITIES, Quantity
from qtn.problem.table import Document, Table, tables_in

OF_CHAINS = {"deadline_s", "ages", "direct_source_rate_hz", "direct_loss_db"}
"""Keys of [merit] that only chains have."""


class Root(Table, abc.ABC):
    """A table such as [chain], of which every file has exactly one.

    Numbers have dotted names below its key; whatever depends on the kind of root, and not on its numbers, is asked of
    its class. Tables are plain dictionaries without None, whose numbers may be traced.
    """

    scheduled: ClassVar[bool] = False
    """Whether [schedule] says in which order things are joined; else there is no such table."""

    ordered: ClassVar[bool] = False
    """Whether it says itself in which order things are joined where [schedule] does not; see `schedule`."""

    routed: ClassVar[bool] = False
    """Whether what is joined depends on numbers; see `laid`."""

    @classmethod
    def complete(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Write out short forms in a table that is not checked yet; return one sentence for each that cannot be.

        Args:
            table: changed in place.
            key: of the table.
            folder: where the file lies.
        """
        return []

    @classmethod
    @abc.abstractmethod
    def build(cls, table: Document) -> Any:
        """Build what the table describes."""

    @classmethod
    def laid(cls, table: dict[str, Any], given: Document) -> dict[str, Any]:
        """Return a table, whose numbers may be traced, with what is joined as the numbers of the file decide it.

        Args:
            table: with some numbers replaced.
            given: the same as the file has it.
        """
        return table

    @classmethod
    def route(cls, table: Document) -> tuple[str, ...]:
        """Return the names of nodes from one end to the other, where `routed`."""
        return ()

    @classmethod
    def rerouted(cls, table: Document) -> str:
        """Return why the numbers of a table decide otherwise than `laid` has it, both known; "" if they do not."""
        return ""

    @classmethod
    def schedule(cls, problem: Any) -> Any:
        """Return in which order things are joined, where `ordered`.

        Raises:
            ValueError: if a schedule of the file does not fit.
        """
        return problem.given_schedule

    @classmethod
    def evaluator(cls, config: Any) -> Any:
        """Return what evaluates what `build` returns, see `qtn.evaluators.evaluate`; None = what [evaluate] says."""
        return None

    @classmethod
    @abc.abstractmethod
    def title(cls, table: Document) -> str:
        """Say in a few words what is there."""

    @classmethod
    def quantities(cls, table: Document) -> Mapping[str, Quantity]:
        """Return the quantities of what is delivered by name, of a table that is not checked yet; usually of pairs."""
        return QUANTITIES

    @classmethod
    def of_use(cls, application: Document) -> Mapping[str, Quantity]:
        """Return further quantities of what an application makes here, of a table that is not checked yet."""
        return {}

    @classmethod
    def rows(cls, evaluation: Any) -> dict[str, Any]:
        """Return what `qtn evaluate --json` prints besides quantities, from a `qtn.problem.evaluation.Evaluation`."""
        return {}

    @classmethod
    def derived_keys(cls) -> tuple[str, ...]:
        """Return the keys of numbers that follow from others."""
        return tuple(key for table in cls.named for key in table.model_fields)

    @classmethod
    def derived(cls, table: Document) -> dict[str, float]:
        """Return numbers that follow from others and can be moved in their place, by name below the root.

        Raises:
            ValueError: if they do not follow.
        """
        return {}

    @classmethod
    def settle(cls, table: dict[str, Any], given: Document, values: Mapping[str, Any]) -> None:
        """Let derived numbers, by name below the root, act on a table; `given` is what the file says."""

    @classmethod
    def highest(cls, table: Document, name: str) -> float | None:
        """Return the upper end of a number, by name below the root, where it depends on others."""
        return None

    @classmethod
    def forms(cls, table: Document, pattern: str) -> list[str]:
        """Return what a pattern of names may mean besides itself."""
        return []

    @classmethod
    def misplaced(cls, table: Document, parts: list[str]) -> str | None:
        """Return the key to set in place of one (its parts below the root) that this file words in another way."""
        return None


def roots(config: type[Table]) -> dict[str, type[Root]]:
    """Return the classes of all root tables that a file may have, by key."""
    found = {key: next(tables_in(field.annotation), None) for key, field in config.model_fields.items()}
    return {key: kind for key, kind in found.items() if kind is not None and issubclass(kind, Root)}


def root_rules(document: Mapping[str, Any], config: type[Table]) -> Iterator[str]:
    """Check that a document has exactly one root, and a schedule only where that is joined."""
    known = roots(config)
    given = [key for key in known if key in document]
    if not given:
        yield f"{next(iter(known))}: is missing; add the table {' or '.join(f'[{key}]' for key in known)}"
    if len(given) > 1:
        both = " and ".join(f"[{key}]" for key in given)
        yield f"{given[1]}: {both} are given, but a file is about one of them; remove the other"
    if len(given) == 1 and not known[given[0]].scheduled:
        for key in ("schedule", "evaluate", "time"):
            if key in document:
                yield f"{key}: is for roots that are joined step by step, and [{given[0]}] is not; remove it"
        yield from merit_rules(document.get("merit"), known[given[0]], document[given[0]], given[0])


def merit_rules(merit: Any, kind: type[Root], table: Any, key: str) -> Iterator[str]:
    """Check that what a pair is worth is only asked of what delivers pairs, and of a chain what only chains have."""
    asked = list(merit) if isinstance(merit, dict) and isinstance(table, dict) else []
    keyless = "secret_fraction" not in kind.quantities(table) if asked else False
    wrong = {"protocol", "preprocessing"} if keyless else set()
    for name in asked:
        if name in OF_CHAINS | wrong:
            yield f"merit.{name}: is for pairs of a chain, and this [{key}] delivers none; remove it"
