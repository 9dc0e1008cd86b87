"""One table of a file, and what is found by walking the classes of tables: which number stands under a dotted name."""

import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from qtn.problem.number import Number

T = TypeVar("T")
Choice = Annotated[T, Field(strict=False)]
"""A `StrEnum`; a file writes its word."""

Document = Mapping[str, Any]
"""A table as a plain dictionary: as read and not checked yet, or checked, then with numbers that may be traced."""

Rule = Callable[[Document], Iterator[tuple[str, str]]]
"""Yields (key, what is wrong) of a table that is not checked yet; key "" stands for the whole table."""


def described(schema: dict[str, Any], table: type["Table"]) -> None:
    """Write what numbers are, and their units, into the JSON Schema of a table."""
    for key, told in schema.get("properties", {}).items():
        number = number_of(table, key)
        if number is not None:
            told |= {"description": number.about, "unit": number.unit.symbol or "1"}
        elif "const" in told and key == "model":
            told["description"] = "Which model this is"


class Table(BaseModel):
    """One TOML table: no unknown keys, no conversions between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra=described)

    rules: ClassVar[tuple[Rule, ...]] = ()
    """How values of this table must fit together, besides the rules of its base classes."""

    named: ClassVar[tuple[type["Table"], ...]] = ()
    """Tables whose numbers have names below this one, but no keys: they stand in a text, or follow from others."""

    @classmethod
    def in_si(cls, table: Document) -> dict[str, Any]:
        """Return the numbers of a table by their names in the library, in its units."""
        numbers = {key: number_of(cls, key) for key in table}
        return {number.name(key): number.in_si(table[key]) for key, number in numbers.items() if number is not None}

    @classmethod
    def part(cls, key: str, table: Document) -> Any:
        """Return the class of the table under a key; where several fit, `model` chooses."""
        found = part_of(cls, key, table.get("model"))
        assert found is not None
        return found


class Built(Table):
    """A table from whose numbers one function builds what it describes."""

    builder: ClassVar[Callable[..., Any]]
    """It takes the numbers by name, in the units of the library."""

    @classmethod
    def build(cls, table: Document) -> Any:
        """Build it from a table without None, whose numbers may be traced."""
        return cls.builder(**cls.in_si(table))


@cache
def number_of(table: type[Table], key: str) -> Number | None:
    """Return the declaration of a number of a table; None if there is none under this key."""
    field = table.model_fields.get(key)
    return None if field is None else next(numbers_in(field), None)


@cache
def declared(name: str, root: type[Table]) -> Number | None:
    """Return the declaration of a number of a file by its dotted name; None if no such number is declared."""
    path = name.split(".")
    while path[-1].isdecimal() and len(path) > 1:  # a place in an array
        path.pop()
    key = path.pop()
    inside = [each for table in tables_at(path, root) for each in (table, *table.named)]
    return next((number for table in inside if (number := number_of(table, key)) is not None), None)


def tables_at(path: list[str], root: type[Table]) -> list[type[Table]]:
    """Return the classes that the table at a path of keys may have; places in arrays do not count."""
    found, chosen = [root], False
    for part in path:
        if chosen or part.isdecimal():
            chosen = False  # a name that the file has chosen
            continue
        chosen = any(holds_names(table, part) for table in found)
        fields = [table.model_fields[part] for table in found if part in table.model_fields]
        found = [inner for field in fields for inner in tables_in(field.annotation)]
    return found


@cache
def holds_lists(table: type[Table], key: str) -> bool:
    """Whether there may be an array of tables under a key."""

    def inside(annotation: Any) -> bool:
        return get_origin(annotation) is list or any(map(inside, get_args(annotation)))

    return key in table.model_fields and inside(table.model_fields[key].annotation)


@cache
def holds_names(table: type[Table], key: str) -> bool:
    """Whether the tables under a key have names that the file chooses."""

    def inside(annotation: Any) -> bool:
        return get_origin(annotation) is dict or any(map(inside, get_args(annotation)))

    return key in table.model_fields and inside(table.model_fields[key].annotation)


@cache
def part_of(table: type[Table], key: str, model: Any) -> type[Table] | None:
    """Return the class of the table under a key; None if there is none, or none of this model."""
    field = table.model_fields.get(key)
    found = [] if field is None else list(tables_in(field.annotation))
    return found[0] if len(found) == 1 else next((each for each in found if is_model(each, model)), None)


def is_model(table: type[BaseModel], name: Any) -> bool:
    """Whether `model = name` chooses this table."""
    return name in models_of(table)


def models_of(table: type[BaseModel]) -> tuple[str, ...]:
    """Return the names that `model = ...` of a table may be; none where it has no such key."""
    return get_args(table.model_fields["model"].annotation) if "model" in table.model_fields else ()


def tables_in(annotation: Any) -> Iterator[type[Table]]:
    """Return the tables that a type annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list, dict, Annotated):
        for inner in get_args(annotation):
            yield from tables_in(inner)


def numbers_in(annotation: Any) -> Iterator[Number]:
    """Return the declarations in a field or type annotation."""
    yield from (each for each in getattr(annotation, "metadata", ()) if isinstance(each, Number))
    inner = getattr(annotation, "annotation", annotation)
    if get_origin(inner) is not None:
        for part in get_args(inner):
            yield from [part] if isinstance(part, Number) else numbers_in(part)


def walk_tables(document: Any, table: type[Table], prefix: str = "") -> Iterator[tuple[str, type[Table], Document]]:
    """Return (dotted name, class, document) of a table and of all below it whose class is known."""
    yield prefix, table, document
    for key, value in document.items():
        entries = [(f"{prefix}.{key}", value)] if isinstance(value, dict) else []
        if entries and holds_names(table, key):
            entries = [(f"{prefix}.{key}.{name}", each) for name, each in value.items() if isinstance(each, dict)]
        if isinstance(value, list) and holds_lists(table, key):
            entries = [(f"{prefix}.{key}.{i}", each) for i, each in enumerate(value) if isinstance(each, dict)]
        for name, each in entries:
            model = each.get("model")
            inner = part_of(table, key, model if isinstance(model, str) else None)
            if inner is not None:
                yield from walk_tables(each, inner, name.removeprefix("."))


def broken(document: Document, root: type[Table]) -> Iterator[str]:
    """Return one sentence for each rule that a table of a document breaks; wrong types are left to the schema."""
    for name, table, found in walk_tables(document, root):
        for base in reversed(table.__mro__):
            for rule in vars(base).get("rules", ()):
                for key, wrong in rule(found):
                    yield f"{'.'.join(filter(None, (name, key)))}: {wrong}"
