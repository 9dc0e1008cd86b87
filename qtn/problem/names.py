"""Every number of a problem by its dotted name: the name that `--set` accepts, in the units of the file."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from jax.core import Tracer

from qtn import _checks, _text
from qtn._pytree import stack
from qtn.links.chain import Chain
from qtn.merit.quantities import Setting
from qtn.optimisation.bounded import Interval
from qtn.problem.evaluators import build_policy
from qtn.problem.number import Number
from qtn.problem.problem import Problem
from qtn.problem.table import declared
from qtn.schedules.latency import with_latencies
from qtn.schedules.tree import NUMBERS, Schedule


def numeric_leaves(problem: Problem) -> dict[str, float]:
    """Return every number that the result depends on: those of the root, of the schedule and of the application.

    What an application has written out of its own numbers is left out.

    Note:
        Entries of `bell_diagonal` are independent weights: their derivatives leave the sum 1.
    """
    known = [key for key in (problem.root_key, "schedule", "application") if key in problem.document]
    sections = [key for key in known if key not in problem.written_out]
    leaves = {name: float(value) for key in sections for name, value in walk(problem.document[key], key)}
    leaves = {name: value for name, value in leaves.items() if declaration(problem, name).traced}
    for name, array in problem.schedule.numbers.items() if problem.given_schedule is not None else ():
        leaves |= {f"schedule.{name}.{i}": float(number) for i, number in enumerate(array)}
    return leaves


def declaration(problem: Problem, name: str) -> Number:
    """Return what is declared of a number, by its dotted name.

    Raises:
        KeyError: if no such number is declared.
    """
    found = declared(name, type(problem.config))
    if found is None:
        raise KeyError(name)
    return found


def initial_values(problem: Problem, names: Iterable[str]) -> dict[str, float]:
    """Return the numbers of the file by name, also those that follow from others, such as positions of repeaters."""
    leaves = numeric_leaves(problem)
    names = list(names)
    if not leaves.keys() >= set(names):
        leaves |= derived(problem)
    return {name: leaves[name] for name in names}


def derived(problem: Problem) -> dict[str, float]:
    """Return the numbers that follow from others and can be moved in their place, by dotted name.

    Raises:
        ValueError: if they do not follow.
    """
    key = problem.root_key
    return {f"{key}.{name}": value for name, value in problem.root.derived(problem.document[key]).items()}


def derived_keys(problem: Problem) -> tuple[str, ...]:
    """Return how the names of such numbers begin."""
    return tuple(f"{problem.root_key}.{key}" for key in problem.root.derived_keys())


def walk(table: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Return the numbers below a table or array with their dotted names."""
    entries = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in entries:
        name = f"{prefix}.{key}"
        if isinstance(value, (dict, list)):
            yield from walk(value, name)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, value


def replaced(document: Mapping[str, Any], section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of a document with some of its numbers replaced, by their dotted names."""
    table = copy.deepcopy(document[section])
    for name, value in values.items():
        first, *path = name.split(".")
        if first != section:
            continue
        here: Any = table
        for part in path[:-1]:
            here = here[int(part) if isinstance(here, list) else part]
        here[int(path[-1]) if isinstance(here, list) else path[-1]] = value
    return table


def system_with(problem: Problem, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the evaluator takes, with some numbers replaced, which may be traced.

    Returns:
        system: chain and tree, or chain and policy; or, where nothing is scheduled, what the root builds.
    """
    if not problem.root.scheduled:
        return (problem.built(root_table(problem, values)),)
    if problem.policy is not None:
        return chain_with(problem, values), build_policy(replaced(problem.document, "schedule", values))
    return with_values(problem, values)


def with_values(problem: Problem, values: Mapping[str, Any]) -> tuple[Chain, Schedule]:
    """Return chain and tree with some numbers replaced, which may be traced, and the latencies that the file wants."""
    schedule = schedule_with(problem, values)
    table, latency = root_table(problem, values), problem.config.schedule.latency
    root: Any = problem.root
    chain = problem.built(table)
    if latency == "none":
        return chain, schedule
    return chain, with_latencies(schedule, chain, root.message_times(table) if latency == "messages" else None)


def schedule_with(problem: Problem, values: Mapping[str, Any]) -> Schedule:
    """Return the tree with some numbers replaced, as a file would say it: without latencies that follow from others."""
    numbers = {name: list(array) for name, array in problem.schedule.numbers.items()}
    for name, value in values.items():
        section, *path = name.split(".")
        if section == "schedule":
            numbers[path[0]][int(path[1])] = value
    return Schedule(tree=problem.schedule.tree, **{name: stacked(entries) for name, entries in numbers.items()})


def chain_with(problem: Problem, values: Mapping[str, Any]) -> Any:
    """Return the chain, or what else the root builds, with some numbers replaced; those of the schedule are ignored."""
    return problem.built(root_table(problem, values))


def setting_with(problem: Problem, values: Mapping[str, Any]) -> Setting:
    """Return where pairs are delivered and what for, with some numbers replaced, which may be traced."""
    kind = problem.config.application
    use: Any = None if kind is None else type(kind).build(replaced(problem.document, "application", values))
    if kind is None or not kind.whole_root:
        return Setting(chain=chain_with(problem, values), application=use)
    if any(isinstance(each, Tracer) for each in values.values()):
        raise ValueError(
            "application.model: shares of a network are evaluated, but not differentiated, from files: prices of links "
            "say what to improve; in Python, `jax.grad` of `qtn.services.share_network` has every number."
        )
    root: Any = problem.root
    decays, given = problem.config.evaluate.herald_decay, problem.document[problem.root_key]
    whole = root.graph(root_table(problem, values), herald_decay=decays, given=given)
    return Setting(chain=whole, application=use)


def root_table(problem: Problem, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the root table with some numbers replaced."""
    key, follow = problem.root_key, derived_keys(problem)
    moved = {name.removeprefix(f"{key}."): x for name, x in values.items() if name.startswith(follow)}
    rest = {name: x for name, x in values.items() if not name.startswith(follow)}
    table = replaced(problem.document, key, rest)
    if problem.written_out:
        type(problem.config.application).settle(table, replaced(problem.document, "application", values))  # pyright: ignore
    if moved:
        problem.root.settle(table, problem.document[key], moved)
    return problem.root.laid(table, problem.document[key])


def stacked(entries: list[Any]) -> Any:
    """Stack numbers into a vector of double precision, also if there are none."""
    return stack([_checks.real(entry) for entry in entries]) if entries else np.zeros(0)


def expand(problem: Problem, patterns: list[str]) -> list[str]:
    """Return the names that patterns such as "chain.links.*.bright_state" mean.

    `*` stands for one part of a name; a table or array means all numbers in it; `chain.links.*` on a chain with one
    shared link means that link.

    Raises:
        ValueError: if a pattern matches nothing, or a whole number.
    """
    leaves = numeric_leaves(problem)
    table = problem.config.optimise
    found: dict[str, None] = {}
    for pattern in patterns:
        if pattern.removesuffix(".*") in derived_keys(problem):
            found |= dict.fromkeys(derived(problem))
            continue
        forms = [pattern, *problem.root.forms(problem.document[problem.root_key], pattern)]
        matches = [name for name in leaves if any(below(name, form) for form in forms)]
        if not matches and pattern.removesuffix(".*").endswith(NUMBERS):
            raise ValueError(
                f"`{_text.one_line(pattern)}` matches nothing: write the numbers to be moved into schedule.tree first"
            )
        if not matches:
            raise ValueError(f"`{_text.one_line(pattern)}` matches no number; `qtn gradient` lists their names")
        whole = next((name for name in matches if declaration(problem, name).whole), None)
        if whole and declaration(problem, whole).better is None:
            raise ValueError(f"`{whole}` is a whole number; name it in optimise.choices instead")
        if whole and (table is None or table.minimise is None):
            raise ValueError(f"`{whole}` is a whole number that only helps; leave it out, or minimise hardware_cost")
        found |= dict.fromkeys(matches)
    return list(found)


def below(name: str, pattern: str) -> bool:
    """Whether a name, or a table that holds it, matches a pattern part by part."""
    own, wanted = name.split("."), pattern.split(".")
    return len(own) >= len(wanted) and all(fnmatchcase(a, b) for a, b in zip(own, wanted, strict=False))


def bounds(problem: Problem, name: str) -> Interval:
    """Return the open interval in which an optimiser may move a number."""
    limits, key = declaration(problem, name).range, problem.root_key
    upper = problem.root.highest(problem.document[key], name.removeprefix(f"{key}."))
    return Interval(limits.lower, limits.upper if upper is None else upper)
