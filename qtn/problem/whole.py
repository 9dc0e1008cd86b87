"""Whole numbers that an optimisation may choose: of codes, and of stations; those that only help are not among them."""

from collections.abc import Iterable, Mapping

from qtn import _text
from qtn.problem.chain.chain import Chain
from qtn.problem.names import below, declaration, walk
from qtn.problem.problem import Problem


def whole_numbers(problem: Problem, patterns: Iterable[str]) -> dict[str, int]:
    """Return the whole numbers of the file that patterns such as "chain.link.code" mean, by dotted name.

    Raises:
        ValueError: if a pattern matches no whole number, or one that cannot be chosen.
    """
    key = problem.root_key
    known = {name: value for name, value in walk(problem.document[key], key) if is_whole(problem, name, value)}
    found: dict[str, int] = {}
    for pattern in patterns:
        forms = [pattern, *problem.root.forms(problem.document[key], pattern)]
        matches = {name: value for name, value in known.items() if any(below(name, form) for form in forms)}
        if not matches:
            raise ValueError(
                f"`{_text.one_line(pattern)}` matches no whole number of a link that can be chosen"
                + (f"; there are {', '.join(known)}" if known else "")
            )
        found |= matches
    return found


def is_whole(problem: Problem, name: str, value: object) -> bool:
    """Whether a number of the file is a whole one of a link of which more is not simply better."""
    inside = name.split(".")[1] in ("link", "links") and issubclass(problem.root, Chain)
    return inside and isinstance(value, int) and declaration(problem, name).better is None


def fits(problem: Problem, entry: Mapping[str, int]) -> bool:
    """Whether each number lies in its range."""
    return all(value in declaration(problem, name).range for name, value in entry.items())
