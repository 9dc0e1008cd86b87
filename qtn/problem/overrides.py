"""Changes to a problem file from outside: texts "dotted.key=value", checked like the file itself."""

import re
import sys
import tomllib
from typing import Any

from qtn import _text
from qtn.problem.messages import shown
from qtn.problem.root import roots
from qtn.problem.schema import Config, TreeNumbers
from qtn.problem.table import number_of
from qtn.schedules.tree import NUMBERS

Times = dict[tuple[str, int], float]
"""(array of the schedule, position) -> value."""

PART = re.compile(r""" "[^"]*" | '[^']*' | [^."'=\s]+ """, re.VERBOSE)
"""One part of a dotted key, as in TOML: `sweep.axes."chain.link.werner".num` has four."""

KEY = re.compile(rf"\s*(?P<key>(?:{PART.pattern}) (?:\.(?:{PART.pattern}))*)\s* = (?P<text>.*)", re.VERBOSE | re.DOTALL)


def apply_override(document: dict[str, Any], times: Times, override: str) -> None:
    """Change a document (or the times of its tree, which stand inside a text) by one override.

    Raises:
        ValueError: if the key leads nowhere.
    """
    found = KEY.match(override)
    if found is None:
        raise ValueError(f"{_text.one_line(override)}: must be of the form dotted.key=value; keys with dots in quotes")
    key, value = found["key"].strip(), toml_value(found["text"].strip())
    *path, last = [part.strip("\"'") for part in PART.findall(key)]
    if path == ["schedule"] and last in NUMBERS:
        raise ValueError(f"{key}: needs a position, such as {key}.0")
    if len(path) == 2 and path[0] == "schedule" and path[1] in NUMBERS and last.isdecimal():
        times[path[1], int(last)] = number_of_schedule(path[1], key, value)
        return
    check_sharing(document, key)
    here: Any = document
    for position, part in enumerate(path):
        if isinstance(here, dict):
            here.setdefault(part, {})
        here = entry(here, part, ".".join(path[:position]), key)
    if isinstance(here, dict):
        here[last] = value
    else:
        entry(here, last, ".".join(path), key)
        here[int(last)] = value


def number_of_schedule(array: str, key: str, value: Any) -> float:
    """Return a number of the schedule."""
    number = number_of(TreeNumbers, array)
    assert number is not None
    limits = number.range
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in limits:
        rule = limits.rule_for(value) if isinstance(value, (int, float)) else limits.rule()
        raise ValueError(f"{key}: must {rule}, but is {shown(value)}")
    return float(min(value, sys.float_info.max)) if isinstance(value, int) else value


def check_sharing(document: dict[str, Any], key: str) -> None:
    """Refuse to set a number that the file words in another way, such as chain.links.2.x of a shared [chain.link]."""
    first, *parts = key.split(".")
    kind, table = roots(Config).get(first), document.get(first)
    other = kind.misplaced(table, parts) if kind is not None and parts and isinstance(table, dict) else None
    if other is not None:
        raise ValueError(f"{key}: this file has {'.'.join(other.split('.')[:2])}; set {other}")


def entry(here: Any, part: str, path: str, key: str) -> Any:
    """Return what a part of a key leads to."""
    if isinstance(here, dict):
        return here[part]
    if isinstance(here, list):
        if not part.isdecimal() or int(part) >= len(here):
            raise ValueError(f"{key}: `{path}` has {len(here)} entries, numbered from 0")
        return here[int(part)]
    raise ValueError(f"{key}: `{path}` is a value, not a table")


def toml_value(text: str) -> Any:
    """Read a TOML value; anything else is a plain string."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return found["value"] if len(found) == 1 else text
