"""The best of an optimisation as a problem file, complete by itself."""

import tomli_w

from qtn.problem.choice import Choice, chosen, settings_of
from qtn.problem.load import changed
from qtn.problem.names import derived_keys, root_table, walk
from qtn.problem.problem import Problem
from qtn.problem.structures import override


def best_problem(problem: Problem, choice: Choice) -> Problem:
    """Return a problem with the schedule and the numbers of a choice in place of its own; its sweep is left out.

    Raises:
        ProblemError: if the numbers do not fit together.
    """
    numbers = {name: value for name, value in settings_of(problem, choice).items() if not name.startswith("schedule.")}
    follow, key = derived_keys(problem), problem.root_key
    if any(name.startswith(follow) for name in numbers):
        before, after = (dict(walk(table, key)) for table in (problem.document[key], root_table(problem, numbers)))
        moved = {name: value for name, value in after.items() if value != before.get(name)}
        numbers = moved | {name: value for name, value in numbers.items() if not name.startswith(follow)}
    return changed(chosen(problem, choice), [override(name, value) for name, value in numbers.items()])


def as_toml(problem: Problem, first_line: str) -> str:
    """Return the text of a problem file with what the given one set; it evaluates to the same."""
    given = problem.config.model_dump(mode="json", exclude_none=True, exclude_unset=True, by_alias=True)
    document = {key: table for key, table in given.items() if key not in problem.written_out}
    return f"# {first_line}\n{tomli_w.dumps(document)}"
