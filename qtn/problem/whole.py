"""Whole numbers that an optimisation may choose: of codes, and of stations; those that only help are not among them."""

from collections.abc import Iterable, Iterator, Mapping

from qtn import _text
from qtn.problem.names import below, declaration, walk
from qtn.problem.problem import Problem
from qtn.problem.table import Table, is_model, part_of, walk_tables


def whole_numbers(problem: Problem, patterns: Iterable[str]) -> dict[str, int]:
    """Return the whole numbers of the file that patterns such as "chain.link.code" mean, by dotted name.

    Raises:
        ValueError: if a pattern matches no whole number, or one that cannot be chosen.
    """
    key = problem.root_key
    table = problem.config.optimise
    others = table is not None and bool(table.codes)
    known = {name: value for name, value in walk(problem.document[key], key) if is_whole(problem, name, value)}
    found: dict[str, int] = {}
    for pattern in patterns:
        forms = [pattern, *problem.root.forms(problem.document[key], pattern)]
        matches = {name: value for name, value in known.items() if any(below(name, form) for form in forms)}
        if not matches and not (others and code_tables(problem, [pattern])):  # codes need not have numbers
            raise ValueError(
                f"`{_text.one_line(pattern)}` matches no whole number of a link that can be chosen"
                + (f"; there are {', '.join(known)}" if known else "")
            )
        found |= matches
    return found


def is_whole(problem: Problem, name: str, value: object) -> bool:
    """Whether a number of the file is a whole one of a link of which more is not simply better."""
    inside = name.split(".")[1] in ("link", "links") and problem.root.scheduled
    return inside and isinstance(value, int) and declaration(problem, name).better is None


def code_tables(problem: Problem, patterns: Iterable[str]) -> dict[str, type[Table]]:
    """Return the tables of codes that are named or hold what is named: dotted name -> class of the link."""
    key, patterns = problem.root_key, list(patterns)
    forms = [form for each in patterns for form in (each, *problem.root.forms(problem.document[key], each))]
    tables = walk_tables(problem.document[key], problem.root, key)
    names = {f"{name}.code": kind for name, kind, table in tables if "code" in table}
    return {name: kind for name, kind in names.items() if any(below(name, form) for form in forms)}


def unfit_codes(problem: Problem) -> Iterator[str]:
    """Return a sentence for each code of [optimise] that does not fit the links that are named there."""
    table = problem.config.optimise
    if table is None or not table.codes:
        return
    links = code_tables(problem, table.choices)
    if not links:
        yield "optimise.codes: no code is named in optimise.choices; add `chain.link.code`"
    for position, code in enumerate(problem.document["optimise"]["codes"]):
        for name, kind in links.items():
            fitting = part_of(kind, "code", code["model"])
            if fitting is None or not is_model(fitting, code["model"]):
                yield f'optimise.codes.{position}: model "{code["model"]}" does not fit {name}'
        try:
            type(table.codes[position]).build(code)
        except ValueError as error:
            yield f"optimise.codes.{position}: {error}"


def fits(problem: Problem, entry: Mapping[str, int]) -> bool:
    """Whether each number lies in its range."""
    return all(value in declaration(problem, name).range for name, value in entry.items())
