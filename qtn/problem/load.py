"""Read a problem file: every mistake at once, each with its dotted key, its value and a cure."""

import dataclasses
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from qtn import _budget
from qtn.evaluators.delivery import require_time_to_herald
from qtn.hardware.fibre import UnusualWarning
from qtn.links.chain import chain
from qtn.links.link import herald
from qtn.problem.chain.chain import num_links_of
from qtn.problem.chain.link_table import LinkTable
from qtn.problem.messages import ProblemError, from_validation, toml_message
from qtn.problem.names import expand
from qtn.problem.overrides import Times, apply_override
from qtn.problem.problem import Problem
from qtn.problem.quantities import application_of, quantity_rules
from qtn.problem.root import roots
from qtn.problem.rules import broken_rules
from qtn.problem.schema import Config
from qtn.problem.table import walk_tables
from qtn.problem.validity import moving_rounds
from qtn.problem.whole import unfit_codes, whole_numbers
from qtn.schedules.arguments import check_spans, span
from qtn.schedules.text import parse
from qtn.schedules.tree import Distill, Schedule, Swap, height, subtrees
from qtn.steps.distill import PROTOCOLS


def load(path: str | Path, overrides: Sequence[str] = ()) -> Problem:
    """Load a problem file.

    Args:
        path: a TOML file.
        overrides: texts "dotted.key=value", as after `--set`; checked like the file.

    Raises:
        ProblemError: with every mistake found.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ProblemError(str(path), ["there is no such file; `qtn new` writes a template"]) from None
    except OSError as error:
        raise ProblemError(str(path), [f"cannot be read as a file: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ProblemError(str(path), ["is not a text file in UTF-8"]) from None
    name = path.resolve().parent.name if path.stem == "problem" else path.stem
    return loads(text, overrides, name=name, source=str(path))


def loads(text: str, overrides: Sequence[str] = (), *, name: str = "problem", source: str = "problem") -> Problem:
    """Load a problem from TOML text; `source` is what errors call it."""
    try:
        document = tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits, and endless nesting
        raise ProblemError(source, [f"is not valid TOML: {toml_message(error)}"]) from None
    return read(document, overrides, name=name, source=source)


def changed(problem: Problem, overrides: Sequence[str]) -> Problem:
    """Return a problem with some values replaced, checked like the file; its [sweep] table is left out.

    Raises:
        ProblemError: with every mistake found.
    """
    given = problem.config.model_dump(exclude_none=True, exclude_unset=True, by_alias=True)
    document = {key: table for key, table in given.items() if key not in ("sweep", *problem.written_out)}
    return read(document, overrides, name=problem.name, source=problem.source)


def read(document: dict[str, Any], overrides: Sequence[str], *, name: str, source: str) -> Problem:
    """Check a document (which is changed in place) and return the problem that it describes."""
    errors: list[str] = []
    times: Times = {}
    for override in overrides:
        try:
            apply_override(document, times, override)
        except ValueError as error:
            errors.append(f"--set {error}")
    use = application_of(document)
    if use is not None:
        errors.extend(use.complete(document, Path(source).parent))
    for key, kind in roots(Config).items():
        if isinstance(document.get(key), dict):
            errors.extend(kind.complete(document[key], key, Path(source).parent))
    errors.extend([*broken_rules(document), *quantity_rules(document)])
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        told = {line.split(":")[0] for line in errors}
        errors.extend(line for line in from_validation(error, document) if line.split(":")[0] not in told)
        config = None
    schedule, tree_errors = read_schedule(document, times)
    errors.extend(tree_errors)
    if config is None or errors:
        raise ProblemError(source, list(dict.fromkeys(errors)))
    problem = Problem(name=name, config=config, given_schedule=schedule, source=source)
    if said := too_long_grid(config):
        raise ProblemError(source, [said])
    if times and schedule is not None:
        problem = problem.with_schedule(schedule)
    errors = [*impossible_links(problem), *impossible_root(problem)]
    if not errors and problem.root.ordered and config.schedule.policy is None:
        try:
            problem = dataclasses.replace(problem, given_schedule=problem.root.schedule(problem))
        except ValueError as error:
            errors = [str(error)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusualWarning)  # told above
        errors += unusable_parameters(problem)
        errors = errors or [*short_cutoffs(problem), *moving_rounds(problem)]
    if errors:
        raise ProblemError(source, errors)
    return problem


GRID_BYTES = 512
"""Memory of one step of a time grid: a few arrays of the 16 coefficients of a pair [bytes]."""


def too_long_grid(config: Config) -> str | None:
    """Return a sentence if the time grid that a file asks for does not fit into memory."""
    said = _budget.excess_bytes(GRID_BYTES * (config.time.num_steps or 0), "lower it, or leave it out")
    return said and f"time.num_steps: {said}"


def impossible_links(problem: Problem) -> Iterator[str]:
    """Return a sentence for each link whose numbers are allowed one by one, but not together; warn of unusual ones."""
    for key, kind, table in walk_tables(problem.document, Config):
        if not issubclass(kind, LinkTable):
            continue
        with warnings.catch_warnings(record=True) as unusual:
            warnings.simplefilter("always", UnusualWarning)
            try:
                link = kind.build(table)
                if problem.config.evaluate.herald_decay:
                    require_time_to_herald(chain(link, num_links=1))
            except ValueError as error:
                yield f"{key}: {error}"
        for each in unusual:
            if each.category is UnusualWarning:
                warnings.warn(f"{key}: {each.message}", UnusualWarning, stacklevel=2)
            elif not issubclass(each.category, UnusualWarning):  # a file names its units: no hint at them
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def impossible_root(problem: Problem) -> Iterator[str]:
    """Return why what is not made of links cannot be built, if its numbers do not go together."""
    if problem.root.scheduled:
        return
    try:
        problem.built(problem.document[problem.root_key])
    except ValueError as error:
        yield f"{problem.root_key}: {error}"


def short_cutoffs(problem: Problem) -> Iterator[str]:
    """Return a sentence for each cut-off or run time that ends before an attempt of any link below it could."""
    schedule = problem.given_schedule
    if schedule is None:
        return
    times = [float(herald(link).attempt_time) for link in problem.chain.links]
    told: set[int] = set()
    for part in subtrees(schedule.tree):
        if not isinstance(part, Swap | Distill):
            continue
        shortest = min(times[problem.chain.link_index(i)] for i in range(part.first, part.last + 1))
        for slot in (part.cutoff, part.rules.run_time):
            if slot is None or slot in told:
                continue
            limit = float(schedule.cutoff_times[slot])
            if limit < shortest * (1 - 1e-9):
                told.add(slot)
                yield (
                    f"schedule.cutoff_times.{slot}: {limit:g} s is shorter than one attempt of {shortest:g} s, the "
                    f"shortest of {span(part)}: no pair could wait for another one; raise it in schedule.tree"
                )


def unusable_parameters(problem: Problem) -> Iterator[str]:
    """Return a sentence for each name in [optimise] that does not exist or cannot be optimised."""
    table = problem.config.optimise
    for pattern in table.choices if table else ():
        try:
            whole_numbers(problem, [pattern])
        except ValueError as error:
            yield f"optimise.choices: {error}"
    yield from unfit_codes(problem)
    for pattern in table.parameters if table else ():
        try:
            found = expand(problem, [pattern])
        except ValueError as error:
            yield f"optimise.parameters: {error}"
            continue
        if table is not None and table.search is not None and any(name.startswith("schedule.") for name in found):
            yield (
                f"optimise.parameters: `{pattern}` names numbers of schedule.tree, in whose place others are searched; "
                "leave it out, and add `cutoffs = true` to optimise.search"
            )


def read_schedule(document: dict[str, Any], times: Times) -> tuple[Schedule | None, list[str]]:
    """Parse the tree of a document, with times that were set from outside."""
    table, chain = document.get("schedule"), document.get("chain")
    if not isinstance(table, dict) or not isinstance(table.get("tree"), str):
        return None, [f"schedule.{name}.{i}: there is no schedule.tree yet; add it first" for name, i in times]
    try:
        protocol = PROTOCOLS.get(str(table.get("distill", "bbpssw")), PROTOCOLS["bbpssw"])
        schedule = parse(table["tree"], protocol=protocol)
        _budget.STORIES.require(height(schedule.tree))
        count = num_links_of(chain)
        if count is not None and not isinstance(count, bool) and count > 0:
            check_spans(schedule, count)
    except ValueError as error:
        return None, ["schedule.tree: " + str(error).replace("\n", "\n    ")]
    errors = []
    for (name, index), value in times.items():
        array = getattr(schedule, name)
        if not 0 <= index < array.size:
            errors.append(
                f"schedule.{name}.{index}: the tree has {array.size} of these, numbered from 0; "
                "add the time to schedule.tree first"
            )
            continue
        changed = np.array(array)
        changed[index] = value
        schedule = dataclasses.replace(schedule, **{name: changed})
    return schedule, errors
