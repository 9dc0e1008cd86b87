"""The declaration of a number of a file: everything that is known of it, in the annotation of its key.

    efficiency: Annotated[float, Number("Emission, coupling and detection", PROBABILITY, TOWARDS_ONE)]

Checks, messages, bounds of an optimisation, units of columns, names and units in the library, the cost of better
hardware and `qtn schema` all read it; none of them keeps a list of keys.
"""

import dataclasses
import enum
import math
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from qtn import units
from qtn._ranges import ANY, Range


class Unit(NamedTuple):
    """The unit of a number in a file."""

    symbol: str
    """As it is written behind a value."""

    ending: str
    """How keys in this unit end."""

    factor: float = 1.0
    """What it is in the units of the library."""


PLAIN = Unit("", "")
S = Unit("s", "_s")
HZ = Unit("Hz", "_hz")
M = Unit("m", "_m")
KM = Unit("km", "_km", units.km)
NM = Unit("nm", "_nm", 1e-9)
RAD = Unit("rad", "_rad")
URAD = Unit("urad", "_urad", 1e-6)
DEG = Unit("deg", "_deg", math.pi / 180)
DB = Unit("dB", "_db")
DB_PER_KM = Unit("dB/km", "_db_per_km")


class Sense(enum.Enum):
    """In which sense hardware is better than other hardware, and what k times better means."""

    TOWARDS_ONE = "a probability of operation without error: b^(1/k), the same error in k uses as before in one"
    TOWARDS_ZERO = "a probability of an error: 1 - x is one of operation without"
    LARGER = "k times as much"
    SMALLER = "a kth"


TOWARDS_ONE, TOWARDS_ZERO, LARGER, SMALLER = Sense


@dataclasses.dataclass(frozen=True)
class Number:
    """One number of a file."""

    about: str
    """What it is, in one line."""

    range: Range = ANY
    """What it may be, in the unit of the file."""

    better: Sense | None = None
    """In which sense it is hardware; None = a setting, which costs nothing."""

    unit: Unit = PLAIN

    traced: bool = True
    """Whether it is a number for derivatives; False = it changes what there is."""

    whole: bool = False
    """Whether it is a whole number, traced as a real one."""

    argument: str | None = None
    """Its name in the library; None = the key without its unit."""

    def name(self, key: str) -> str:
        """Return the name in the library of the number under a key."""
        return self.argument or key.removesuffix(self.unit.ending)

    def in_si(self, value: Any) -> Any:
        """Return a value of the file, or a list of them, which may be traced, in the unit of the library."""
        if isinstance(value, list):
            return [self.in_si(each) for each in value]
        return value if self.unit.factor == 1.0 else value * self.unit.factor

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.range.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.range.describe(handler(schema))
