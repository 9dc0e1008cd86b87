"""Which quantities a problem has, and whether its file names them rightly."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from qtn._ranges import Range
from qtn.merit.quantities import QUANTITIES, Better, Quantity
from qtn.problem.application.application import Application
from qtn.problem.messages import shown, unknown_entry
from qtn.problem.schema import Config
from qtn.problem.table import is_model, part_of


def quantities_of(document: Mapping[str, Any]) -> dict[str, Quantity]:
    """Return the quantities of a problem by name, in the order in which they are printed.

    Those of the application follow those that every problem has.

    Args:
        document: the tables of the problem; possibly wrong ones.
    """
    use = application_of(document)
    return QUANTITIES | ({each.name: each for each in use.quantities} if use else {})


def application_of(document: Mapping[str, Any]) -> type[Application] | None:
    """Return the class of the [application] table of a document, possibly a wrong one; None if there is none."""
    table = document.get("application")
    model = table.get("model") if isinstance(table, dict) else None
    found = part_of(Config, "application", model) if isinstance(model, str) else None
    return found if found is not None and issubclass(found, Application) and is_model(found, model) else None


def words_and_units(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what reports say of the quantities of a problem: (words, unit) by name."""
    return {name: (each.words, each.unit) for name, each in quantities_of(document).items()}


def to_be_raised(quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Return the quantities of which more is better: they can be maximised and have a lower limit."""
    return {name: each for name, each in quantities.items() if each.better is Better.MORE}


def limit_range(quantity: Quantity) -> Range:
    """Return what may be asked of a quantity at least."""
    upper = float("inf") if quantity.most is None else quantity.most
    return Range(0.0, upper, lower_closed=False, upper_closed=False)


def quantity_rules(document: Mapping[str, Any]) -> Iterator[str]:
    """Return one sentence for each quantity that a document names wrongly, or limits by what it cannot be."""
    tables = (document.get(key) for key in ("optimise", "sweep"))
    optimise, sweep = (table if isinstance(table, dict) else {} for table in tables)
    if "application" in document and application_of(document) is None:
        return  # which names there are is not known before that is right
    known = quantities_of(document)
    raised = to_be_raised(known)
    if "maximise" in optimise and optimise["maximise"] not in list(raised):
        yield f"optimise.maximise: {one_of(raised, optimise['maximise'])}"
    minimum, outputs = optimise.get("minimum"), sweep.get("outputs")
    for name, limit in minimum.items() if isinstance(minimum, dict) else ():
        if name not in raised:
            yield f"optimise.minimum.{name}: {unknown_entry(name, raised)}"
        elif isinstance(limit, (int, float)) and not isinstance(limit, bool):
            try:
                limit_range(raised[name]).check(limit)
            except ValueError as error:
                yield f"optimise.minimum.{name}: {error}"
    for position, name in enumerate(outputs if isinstance(outputs, list) else ()):
        if name not in list(known):
            yield f"sweep.outputs.{position}: {one_of(known, name)}"


def one_of(names: Iterable[str], value: Any) -> str:
    """Say that a value must be one of several names."""
    *others, last = (repr(name) for name in names)
    return f"must be {', '.join(others)} or {last}, but is {shown(value)}"
