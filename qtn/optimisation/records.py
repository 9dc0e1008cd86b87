"""Write plain Python objects of this package as JSON and arrays, and read them back: exact, and without pickles.

number, text, None        as they are; floats by their shortest exact text
list, tuple, dict         element by element, a tuple as {"tuple": [...]}, a dict as {"dict": [[key, value], ...]}
array                     {"array": position} into the list of arrays; {"jax": position} if it was a JAX array
frozen dataclass of qtn   {"object": number}; what it holds stands in the table of objects, shared ones once
"""

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

PACKAGE = "qtn."
"""Only dataclasses of this package are written or read."""


class Writer:
    """Turns objects into documents; an object that several documents share is written by the first of them."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.alive: list[Any] = []
        """What was numbered; kept, so that no identity is used twice."""

    def write(self, value: Any, omit: Callable[[Any, str], bool] = lambda owner, field: False) -> tuple[Any, list[Any]]:
        """Return (document, arrays).

        Args:
            value: what to write.
            omit: whether a field of an object is written as None.

        Raises:
            TypeError: if something in it cannot be written.
        """
        objects: list[Any] = []
        arrays: list[Any] = []

        def written(part: Any) -> Any:
            if part is None or isinstance(part, (bool, int, float, str)):
                return part.item() if isinstance(part, np.generic) else part
            if isinstance(part, (np.ndarray, np.generic, jax.Array)):
                arrays.append(np.asarray(part))
                return {"jax" if isinstance(part, jax.Array) else "array": len(arrays) - 1}
            if isinstance(part, list):
                return [written(each) for each in part]
            if isinstance(part, tuple):
                return {"tuple": [written(each) for each in part]}
            if isinstance(part, dict):
                return {"dict": [[written(key), written(each)] for key, each in part.items()]}
            if dataclasses.is_dataclass(part) and type(part).__module__.startswith(PACKAGE):
                return {"object": self.numbers[id(part)] if id(part) in self.numbers else described(part)}
            raise TypeError(f"a {type(part).__name__} cannot be written into a checkpoint")

        def described(part: Any) -> int:
            fields = [field.name for field in dataclasses.fields(part) if field.init]
            told = {name: None if omit(part, name) else written(getattr(part, name)) for name in fields}
            number = self.numbers[id(part)] = len(self.alive)
            self.alive.append(part)
            objects.append([number, type(part).__module__, type(part).__qualname__, told])
            return number

        return {"value": written(value), "objects": objects}, arrays


class Reader:
    """Turns documents back into objects, in the order in which one `Writer` wrote them."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}

    def read(self, document: Any, arrays: list[Any]) -> Any:
        """Return what `Writer.write` was given.

        Raises:
            ValueError: if the document names anything but dataclasses of this package.
        """

        def restored(part: Any) -> Any:
            if isinstance(part, list):
                return [restored(each) for each in part]
            if not isinstance(part, dict):
                return part
            ((kind, content),) = part.items()
            if kind == "tuple":
                return tuple(restored(each) for each in content)
            if kind == "dict":
                return {restored(key): restored(each) for key, each in content}
            if kind == "object":
                return self.objects[content]
            return jnp.asarray(arrays[content]) if kind == "jax" else arrays[content]

        for number, module, name, fields in document["objects"]:
            self.objects[number] = _class(module, name)(**{key: restored(each) for key, each in fields.items()})
        return restored(document["value"])


def _class(module: str, name: str) -> Any:
    """Return a dataclass of this package."""
    found = getattr(importlib.import_module(module), name, None) if module.startswith(PACKAGE) else None
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"a checkpoint must hold dataclasses of qtn, but names {module}.{name}")
    return found
