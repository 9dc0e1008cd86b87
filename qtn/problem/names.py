"""Every number of a problem by its dotted name: the name that `--set` accepts, in the units of the file."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from qtn import _checks
from qtn.links.chain import Chain
from qtn.optimisation.bounded import Interval
from qtn.problem.evaluators import build_policy
from qtn.problem.number import Number
from qtn.problem.placement import PREFIX, lengths, positions, route_length
from qtn.problem.problem import Problem
from qtn.problem.table import declared
from qtn.schedules.latency import with_latencies
from qtn.schedules.policy import SwapAsap
from qtn.schedules.tree import NUMBERS, Schedule


def numeric_leaves(problem: Problem) -> dict[str, float]:
    """Return every number that the result depends on: those of the chain, cut-off times and waiting times.

    Note:
        Entries of `bell_diagonal` are independent weights: their derivatives leave the sum 1.
    """
    leaves = {name: float(value) for key in SECTIONS for name, value in walk(problem.document[key], key)}
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
    """Return the numbers of the file by name, positions of repeaters included."""
    leaves = numeric_leaves(problem)
    if any(name.startswith(PREFIX) for name in names):
        leaves |= positions(problem.document["chain"])
    return {name: leaves[name] for name in names}


SECTIONS = ("chain", "schedule")
"""Tables whose numbers are traced."""


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
        if first != section or name.startswith(PREFIX):
            continue
        here: Any = table
        for part in path[:-1]:
            here = here[int(part) if isinstance(here, list) else part]
        here[int(path[-1]) if isinstance(here, list) else path[-1]] = value
    return table


def system_with(problem: Problem, values: Mapping[str, Any]) -> tuple[Chain, Schedule | SwapAsap]:
    """Return chain and tree, or chain and policy, with some numbers replaced, which may be traced."""
    if problem.policy is not None:
        return chain_with(problem, values), build_policy(replaced(problem.document, "schedule", values))
    return with_values(problem, values)


def with_values(problem: Problem, values: Mapping[str, Any]) -> tuple[Chain, Schedule]:
    """Return chain and tree with some numbers replaced, which may be traced, and the latencies that the file wants."""
    schedule = schedule_with(problem, values)
    table, latency = chain_table(problem, values), problem.config.schedule.latency
    chain = type(problem.config.chain).build(table)
    if latency == "none":
        return chain, schedule
    return chain, with_latencies(
        schedule, chain, type(problem.config.chain).message_times(table) if latency == "messages" else None
    )


def schedule_with(problem: Problem, values: Mapping[str, Any]) -> Schedule:
    """Return the tree with some numbers replaced, as a file would say it: without latencies that follow from others."""
    numbers = {name: list(array) for name, array in problem.schedule.numbers.items()}
    for name, value in values.items():
        section, *path = name.split(".")
        if section == "schedule":
            numbers[path[0]][int(path[1])] = value
    return Schedule(tree=problem.schedule.tree, **{name: stacked(entries) for name, entries in numbers.items()})


def chain_with(problem: Problem, values: Mapping[str, Any]) -> Chain:
    """Return the chain with some numbers replaced, which may be traced; those of the schedule are ignored."""
    return type(problem.config.chain).build(chain_table(problem, values))


def chain_table(problem: Problem, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the [chain] table with some numbers replaced."""
    table = replaced(problem.document, "chain", values)
    if any(name.startswith(PREFIX) for name in values):
        for link, length in zip(table["links"], lengths(problem.document["chain"], values), strict=True):
            link["length_km"] = length
    return table


def stacked(entries: list[Any]) -> Any:
    """Stack numbers into a vector of double precision, also if there are none."""
    import jax.numpy as jnp

    return jnp.stack([_checks.real(entry) for entry in entries]) if entries else jnp.zeros(0)


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
        if pattern.removesuffix(".*") == PREFIX:
            found |= dict.fromkeys(positions(problem.document["chain"]))
            continue
        matches = [name for name in leaves if any(below(name, form) for form in forms(problem, pattern))]
        if not matches and pattern.removesuffix(".*").endswith(NUMBERS):
            raise ValueError(f"`{pattern}` matches nothing: write the numbers to be moved into schedule.tree first")
        if not matches:
            raise ValueError(f"`{pattern}` matches no number; `qtn gradient` lists their names")
        whole = next((name for name in matches if declaration(problem, name).whole), None)
        if whole and (table is None or table.minimise is None):
            raise ValueError(f"`{whole}` is a whole number that only helps; leave it out, or minimise hardware_cost")
        found |= dict.fromkeys(matches)
    return list(found)


def forms(problem: Problem, pattern: str) -> list[str]:
    """Return a pattern, and what it means where all positions share one link or node."""
    shared = [pattern]
    for name in ("link", "node"):
        if name in problem.document["chain"]:
            shared.append(pattern.replace(f"chain.{name}s.*.", f"chain.{name}.", 1))
    return shared


def below(name: str, pattern: str) -> bool:
    """Whether a name, or a table that holds it, matches a pattern part by part."""
    own, wanted = name.split("."), pattern.split(".")
    return len(own) >= len(wanted) and all(fnmatchcase(a, b) for a, b in zip(own, wanted, strict=False))


def bounds(problem: Problem, name: str) -> Interval:
    """Return the open interval in which an optimiser may move a number."""
    limits = declaration(problem, name).range
    upper = route_length(problem.document["chain"]) if name.startswith(PREFIX) else limits.upper
    return Interval(limits.lower, upper)
