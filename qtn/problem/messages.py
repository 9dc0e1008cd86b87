"""Say what is wrong with a file: one sentence each, with dotted key, value and cure."""

import difflib
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from qtn.problem.schema import Config

KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a string",
    "list_type": "an array",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "int_from_float": "a whole number",
}


class ProblemError(ValueError):
    """A problem file that cannot be used; `errors` holds one entry per mistake."""

    def __init__(self, source: str, errors: list[str]) -> None:
        self.source, self.errors = source, errors
        super().__init__("\n".join(f"{source}: {error}" for error in errors))


def from_validation(error: ValidationError, document: dict[str, Any]) -> list[str]:
    """Return one sentence for each mistake that pydantic found in `document`."""
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        path = real_path(item["loc"], document)
        if item["type"].startswith("union_tag"):
            path.append("model")
        if dotted(path) not in found or not item["type"].endswith("_type"):  # a value error tells more than a type
            found[dotted(path)] = sentence(item, path)
    return [f"{key}: {text}" for key, text in found.items()]


def dotted(path: list[Any]) -> str:
    """Return the dotted key of a path."""
    return ".".join(str(part) for part in path) or "file"


def real_path(loc: tuple[Any, ...], document: Any) -> list[Any]:
    """Drop from a location what is not in the file: the tags of unions, and the types they tried."""
    path: list[Any] = []
    here = document
    for position, part in enumerate(loc):
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            here = here[part]
        elif isinstance(here, dict) and position == len(loc) - 1 and isinstance(part, str) and "[" not in part:
            here = None
        else:
            continue
        path.append(part)
    return path


def sentence(item: Any, path: list[Any]) -> str:
    """Return what is wrong with one value, and the cure."""
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return unknown_key(path)
    if kind == "missing":
        return (
            f"is missing; add `{path[-1]} = ...`"
            if path[-1] not in TABLES
            else f"is missing; add the table [{dotted(path)}]"
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        expected = context.get("expected_tags") or "abstract, single_click, double_click, ... as a string"
        if kind == "union_tag_not_found":
            return "is missing; add `model = ...`"
        return f"must be one of {expected}, but is {context['tag']!r}"
    if kind == "literal_error":
        return f"must be {context['expected']}, but is {value!r}"
    if kind in ("too_short", "too_long"):
        length = context.get("min_length", context.get("max_length"))
        return f"must hold {length} values, but holds {context['actual_length']}"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}, but is {value!r}"
    if kind in KINDS:
        return f"must be {KINDS[kind]}, but is {value!r}"
    return f"{item['msg'].lower()}, but is {value!r}"


TABLES = ("chain", "schedule", "merit", "time", "optimise")


def unknown_key(path: list[Any]) -> str:
    """Return the sentence for a key that the schema does not know, with the likeliest cure."""
    known = sorted(known_keys(path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    cure = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
    return f"is an unknown key; {cure}"


def known_keys(path: list[Any]) -> set[str]:
    """Return the keys that any table at a path may hold."""
    models: list[Any] = [Config]
    for part in path:
        if not isinstance(part, int):
            fields = [field for model in models for name, field in model.model_fields.items() if name == part]
            models = [model for field in fields for model in tables_in(field.annotation)]
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Return the tables that a type annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list, Annotated):
        for inner in get_args(annotation):
            yield from tables_in(inner)
