"""Which quantities a problem has, and whether its file names them rightly."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from qtn import _text
from qtn.merit.quantities import QUANTITIES, Better, Quantity
from qtn.problem.application.application import Application
from qtn.problem.messages import shown, unknown_entry
from qtn.problem.root import roots
from qtn.problem.schema import Config
from qtn.problem.table import is_model, models_of, part_of, tables_in


def quantities_of(document: Mapping[str, Any]) -> dict[str, Quantity]:
    """Return the quantities of a problem by name, in the order in which they are printed.

    Those of the application follow those of what the root delivers.

    Args:
        document: the tables of the problem; possibly wrong ones.
    """
    use = application_of(document)
    given = [(kind, document[key]) for key, kind in roots(Config).items() if isinstance(document.get(key), Mapping)]
    own = dict(given[0][0].quantities(given[0][1])) if given else QUANTITIES
    if use is None:
        return own
    added = given[0][0].of_use(document["application"]) if given else {}
    return own | {each.name: each for each in use.rows(document["application"])} | dict(added)


def application_of(document: Mapping[str, Any]) -> type[Application] | None:
    """Return the class of the [application] table of a document, possibly a wrong one; None if there is none."""
    table = document.get("application")
    model = table.get("model") if isinstance(table, dict) else None
    found = part_of(Config, "application", model) if isinstance(model, str) else None
    return found if found is not None and issubclass(found, Application) and is_model(found, model) else None


def of_applications() -> dict[str, tuple[Quantity, str]]:
    """Return the quantities of all applications by name, each with the model that it belongs to."""
    kinds = [kind for kind in tables_in(Config.model_fields["application"].annotation) if issubclass(kind, Application)]
    return {each.name: (each, models_of(kind)[0]) for kind in kinds for each in kind.quantities}


def words_and_units(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what reports say of the quantities of a problem: (words, unit) by name."""
    return {name: (each.words, each.unit) for name, each in quantities_of(document).items()}


def to_be_raised(quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Return the quantities of which more is better: they can be maximised and have a lower limit."""
    return {name: each for name, each in quantities.items() if each.better is Better.MORE}


def usual_of(raised: Mapping[str, Quantity]) -> str:
    """Return the name of what is maximised where nothing is said, of quantities of which more is better."""
    keys = [name for name, each in raised.items() if each.clipped]
    return "secret_key_rate_hz" if "secret_key_rate_hz" in raised else (keys or list(raised))[0]


def quantity_rules(document: Mapping[str, Any]) -> Iterator[str]:
    """Return one sentence for each quantity that a document names wrongly, or limits by what it cannot be."""
    tables = (document.get(key) for key in ("optimise", "sweep"))
    optimise, sweep = (table if isinstance(table, dict) else {} for table in tables)
    known, elsewhere = quantities_of(document), of_applications()
    application = application_of(document)
    if "application" in document and application is None:  # it may be meant to be any of them
        known, elsewhere = known | {name: each for name, (each, _) in elsewhere.items()}, {}
    raised = to_be_raised(known)

    def unknown(name: Any, sentence: str) -> str:
        """Say that a name is wrong, or what it belongs to."""
        if not isinstance(name, str) or name in known or name not in elsewhere:
            return sentence
        asked = {} if application is None else application.asked_by
        if name in asked:
            return f"{name!r} is there if [application] has {asked[name]}; add that"
        return f'{name!r} belongs to `[application] model = "{elsewhere[name][1]}"`; add that table'

    if optimise and not {"minimise", "maximise"} & optimise.keys() and usual_of(raised) not in list(QUANTITIES):
        yield f'optimise.maximise: is missing; add `maximise = "{usual_of(raised)}"`'
    if "maximise" in optimise and optimise["maximise"] not in list(raised):
        yield f"optimise.maximise: {unknown(optimise['maximise'], one_of(raised, optimise['maximise']))}"
    minimum, outputs = optimise.get("minimum"), sweep.get("outputs")
    for name, limit in minimum.items() if isinstance(minimum, dict) else ():
        if name not in raised:
            yield f"optimise.minimum.{_text.one_line(str(name))}: {unknown(name, unknown_entry(name, raised))}"
        elif isinstance(limit, (int, float)) and not isinstance(limit, bool):
            try:
                raised[name].limits.check(limit)
            except ValueError as error:
                yield f"optimise.minimum.{name}: {error}"
    for position, name in enumerate(outputs if isinstance(outputs, list) else ()):
        if name not in list(known):
            yield f"sweep.outputs.{position}: {unknown(name, one_of(known, name))}"


def one_of(names: Iterable[str], value: Any) -> str:
    """Say that a value must be one of several names."""
    known = list(names)
    *others, last = map(repr, known)
    return f"must be {', '.join(others)} or {last}, but is {shown(value)}{_text.meant(value, known)}"
