"""The table [application]: what every model of it says of itself."""

import abc
import enum
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qtn.merit.quantities import Quantity
from qtn.problem.table import Document, Table


class Needs(enum.StrEnum):
    """What an application needs of an evaluation."""

    SUMMARY = "summary"
    """Mean time and Bell weights of the mean state."""
    STATE = "state"
    """Mean time and the whole mean state: the state level holds every Pauli coefficient."""
    OUTCOME = "outcome"
    """The distribution of the waiting time, and what is delivered at each time."""


class Application(Table, abc.ABC):
    """What pairs are used for: a table, what it builds, and the quantities that come of it.

    A model is one class: its keys, its builder, its quantities and its sentences. What it builds is a pytree with a
    method `run(result, chain)`, whose numbers may be traced and which returns a pytree; each of `quantities` is a
    function of `Delivered.use`, which is what `run` returned, and has `in_use` set.
    """

    model: Any
    """Its name, a `Literal`."""

    needs: ClassVar[Needs] = Needs.SUMMARY
    keeps_pairs: ClassVar[bool] = True
    """Whether it needs both qubits of a pair, and not only what was measured of them."""

    roots: ClassVar[tuple[str, ...]] = ("chain", "network")
    """Keys of the roots whose pairs it can use."""

    whole_root: ClassVar[bool] = False
    """Whether `run` takes all that the root describes (`Root.graph`), and not only what was evaluated."""

    quantities: ClassVar[tuple[Quantity, ...]] = ()
    """Its rows of the registry; their names differ from those of all other quantities."""

    asked_by: ClassVar[Mapping[str, str]] = {}
    """By quantity that not every table has: what the table must say for it."""

    @classmethod
    def complete(cls, document: dict[str, Any], folder: Path) -> list[str]:
        """Write out short forms and paths of a file that is not checked yet; return what is wrong with them.

        Args:
            document: the whole file, changed in place.
            folder: where it lies.
        """
        return []

    @property
    def written_out(self) -> tuple[str, ...]:
        """Return the keys of the tables of the file that `complete` has written out: their numbers are its own."""
        return ()

    @classmethod
    def settle(cls, root: dict[str, Any], table: Document) -> None:
        """Let numbers of the application, which may be traced, act on a root table that it has written out.

        Args:
            root: changed in place.
            table: of the application.
        """

    @classmethod
    def fits(cls, document: Mapping[str, Any]) -> Iterator[str]:
        """Return one sentence for each key of a file, not checked yet, that does not go with this application."""
        yield from ()

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return the quantities of a table that is not checked yet: those of the class, and what the table asks for."""
        return cls.quantities

    @classmethod
    @abc.abstractmethod
    def build(cls, table: Document) -> Any:
        """Build what uses the pairs, from a table without None whose numbers may be traced."""

    @classmethod
    def warnings(cls, use: Any) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with what `run` returned, which is concrete."""
        return []

    @classmethod
    def draws(cls, built: Any, use: Any) -> dict[str, Any]:
        """Return what is drawn at random besides quantities: samples and standard errors, as plain numbers by key.

        Args:
            built: what `build` returned.
            use: what its `run` returned, which is concrete.
        """
        return {}

    @classmethod
    def told(cls, use: Any) -> list[str]:
        """Return sentences on what `run` returned, which is concrete; they follow `lines`."""
        return []

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Return sentences for text and report, from the quantities by name and what `draws` returned."""
        return []
