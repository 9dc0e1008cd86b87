"""Say what is wrong with a file: one sentence each, with dotted key, value and cure."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from qtn import _text
from qtn._ranges import SIZES, bounded
from qtn.problem.schema import Config
from qtn.problem.table import Table, is_model, tables_at

KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a string",
    "list_type": "an array",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "bool_type": "true or false",
    "int_from_float": "a whole number",
}


class ProblemError(ValueError):
    """A problem file that cannot be used; `errors` holds one entry per mistake."""

    def __init__(self, source: str, errors: list[str]) -> None:
        self.source, self.errors = source, errors
        super().__init__("\n".join(_text.printable(f"{source}: {error}") for error in errors))


def from_validation(error: ValidationError, document: dict[str, Any], root: type[Table] = Config) -> list[str]:
    """Return one sentence for each mistake that pydantic found in `document`, a file that `root` describes."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for item in error.errors(include_url=False):
        path = real_path(item["loc"], document)
        if item["type"].startswith("union_tag"):
            path.append("model")
        found.setdefault(tuple(path), []).append(item)
    lines = []
    for path, items in found.items():
        telling = [item for item in items if item["type"] not in KINDS]  # a value error tells more than a type
        words = dict.fromkeys(KINDS[item["type"]] for item in items if item["type"] in KINDS)
        if telling and telling[0]["type"] == "literal_error" and words:  # a number, or one word
            expected = [*words, telling[0]["ctx"]["expected"]]
            lines.append(f"{dotted(path)}: must be {' or '.join(expected)}, but is {shown(telling[0]['input'])}")
        elif telling:
            lines.append(f"{dotted(path)}: {sentence(telling[0], list(path), document, root)}")
        elif not any(other[: len(path)] == path for other in found if other != path):  # else another type fitted better
            kinds = " or ".join(words)
            value = items[0]["input"]
            rule = f"be {kinds}" if not isinstance(value, int) or bounded(value) else SIZES
            lines.append(f"{dotted(path)}: must {rule}, but is {shown(value)}")
    return lines


def shown(value: Any) -> str:
    """Return a value as the file would write it, cut short."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    text = value.isoformat() if hasattr(value, "isoformat") else _text.number(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 80 else f"{text[:77]}..."


def toml_message(error: Exception) -> str:
    """Return the parser's message, which names line and column, with words for a duplicate key or table."""
    message = str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if message.startswith("Exceeds the limit"):  # how Python refuses whole numbers without end
        return "it holds a whole number of thousands of digits; round it"
    if message.startswith("Cannot overwrite a value"):
        return f"a key is given twice {message[message.index('(') :]}"
    table = re.compile(r"\(('[^()]*')\)|\(('[^()]*',)\)").search(message)
    if table:
        name = ".".join(re.findall(r"'([^']*)'", table[0]))
        message = message.replace(table[0], f"[{name}]")
    return message[0].lower() + message[1:]


def dotted(path: Iterable[Any]) -> str:
    """Return the dotted key of a path."""
    return _text.one_line(".".join(str(part) for part in path)) or "file"


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


def sentence(item: Any, path: list[Any], document: dict[str, Any], root: type[Table] = Config) -> str:
    """Return what is wrong with one value, and the cure."""
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return unknown_key(path, document, root)
    if kind == "missing":
        keys = [part for part in path if not isinstance(part, int)]
        return f"is missing; add the table [{dotted(path)}]" if tables_at(keys, root) else missing_key(path[-1])
    if kind == "union_tag_not_found":
        return missing_key("model")
    if kind == "union_tag_invalid":
        known, given = context["expected_tags"], context["tag"]
        return f"must be one of {known}, but is {_text.echoed(given)}{_text.meant(given, quoted(known))}"
    if kind in ("literal_error", "enum"):
        known = context["expected"]
        return f"must be {known}, but is {shown(value)}{_text.meant(value, quoted(known))}"
    if kind in ("too_short", "too_long"):
        length = context.get("min_length", context.get("max_length"))
        return f"must hold {length} values, but holds {context['actual_length']}"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}, but is {shown(value)}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}, but is {shown(value)}"
    return f"{item['msg'].lower()}, but is {shown(value)}"


def quoted(names: str) -> list[str]:
    """Return the names in quotation marks in a sentence."""
    return re.findall(r"'([^']*)'", names)


def missing_key(key: str) -> str:
    """Return the sentence for a key that is missing."""
    return f"is missing; add `{key} = ...`"


def unknown_key(path: list[Any], document: dict[str, Any], root: type[Table] = Config) -> str:
    """Return the sentence for a key that the schema does not know, with the likeliest cure."""
    return unknown_entry(path[-1], known_keys(path[:-1], document, root))


def unknown_entry(key: Any, names: Iterable[str]) -> str:
    """Return the sentence for a key that is none of these names."""
    known = sorted(names)
    if key in known:
        return "belongs to a table of another model"
    close = difflib.get_close_matches(str(key), known, n=1)
    cure = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
    return f"is an unknown key; {cure}"


def known_keys(path: list[Any], document: dict[str, Any], root: type[Table] = Config) -> set[str]:
    """Return the keys that the table at a path may hold: those of its model, where it names one."""
    here: Any = document
    for part in path:
        here = here[part]
    models = tables_at([part for part in path if not isinstance(part, int)], root)
    named = [model for model in models if is_model(model, here.get("model"))]
    return {field.alias or name for model in named or models for name, field in model.model_fields.items()}
