"""Clocks and sensors that share pairs or GHZ states: `model = "sensor"`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.problem import number as unit
from qtn.problem.application.application import Application, Needs
from qtn.problem.application.conference import GatheringCutoff
from qtn.problem.number import SMALLER, Number
from qtn.problem.table import Choice, Document
from qtn.sensing.group_clock import MOST_USERS, Measurement, Sensing, Sensor
from qtn.steps.level import PAULI

MORE, LESS = Better.MORE, Better.LESS
Row = partial(Quantity, level=PAULI, in_use=True)


def _of(read: Callable[[Sensing], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use)


# fmt: off
ROWS = (
    Row("sensor_information_s", "s", "information on the frequency", _of(lambda use: use.probe.information_rate),
        better=MORE),
    Row("sensor_uncertainty_hz", "Hz", "uncertainty after one second", _of(lambda use: use.probe.uncertainty),
        better=LESS),
    Row("sensor_gain", "", "gain over qubits apart", _of(lambda use: use.gain), better=MORE),
    Row("sensor_fisher", "", "Fisher information of the angle", _of(lambda use: use.probe.angle_fisher), better=MORE),
    Row("sensor_probe_time_s", "s", "probe time", _of(lambda use: use.probe.probe_time)),
    Row("sensor_waiting_s", "s", "wait for a shared state", _of(lambda use: use.waiting_time), better=LESS),
    Row("sensor_cycle_s", "s", "cycle", _of(lambda use: use.probe.cycle_time), better=LESS),
)
STABILITY = Row("sensor_stability", "", "instability after one second", _of(lambda use: use.stability), better=LESS)
# fmt: on


def probe_is_possible(table: Document) -> Iterator[tuple[str, str]]:
    """There is a best probe time only with dephasing; users are alike; the best measurement takes few users."""
    if table.get("probe_time_s", "optimised") == "optimised" and table.get("dephasing_hz", 0.0) == 0:
        yield "probe_time_s", "must be given where dephasing_hz is 0 or absent: the longer, the better; add a number"
    users = table.get("users")
    if isinstance(users, list | tuple | str):
        yield (
            "users",
            "names users of a network, but all users are alike here, each at the left end of a copy of [chain]; give "
            "their number, such as 5, or gather along a graph in Python with `qtn.arms_to_hub` and `qtn.gather`",
        )
    many = isinstance(users, int) and not isinstance(users, bool) and users > MOST_USERS
    if many and table.get("measurement", Measurement.BEST) == Measurement.BEST:
        yield (
            "measurement",
            f'"{Measurement.BEST}" takes up to {MOST_USERS} users, but application.users is {users}; use '
            f'"{Measurement.PARITY}"',
        )
    for key in ("cutoff_time_s", "measurement") if users is None else ():
        if key in table:
            yield key, "is for users who gather at a hub; add `users`, or remove it"


class SharedSensor(Application):
    """Users who measure the mean of their frequencies with what they share; see `qtn.sensing.group_clock`."""

    rules = (probe_is_possible,)
    needs: ClassVar = Needs.OUTCOME
    quantities: ClassVar = (*ROWS, STABILITY)
    asked_by: ClassVar = {STABILITY.name: "`frequency_hz`, of the clocks"}

    model: Literal["sensor"]
    users: (
        Annotated[
            int, Number("Users, each at the left end of a copy of the chain", within.Range(2.0, 100.0), traced=False)
        ]
        | None
    ) = None
    probe_time_s: (
        Annotated[float, Number("How long each shared state turns", within.POSITIVE, unit=unit.S)]
        | Literal["optimised"]
    ) = "optimised"
    dephasing_hz: Annotated[
        float, Number("Rate of decay of the coherence of a probe", within.NON_NEGATIVE, SMALLER, unit=unit.HZ)
    ] = 0.0
    frequency_hz: (
        Annotated[
            float, Number("Of the clocks, for their stability; absent = other sensors", within.POSITIVE, unit=unit.HZ)
        ]
        | None
    ) = None
    cutoff_time_s: GatheringCutoff = None
    measurement: Choice[Measurement] = Field(default=Measurement.BEST, description="How gathered states are measured")

    @classmethod
    def fits(cls, document: Mapping[str, Any]) -> Iterator[str]:
        """Say that the users of a network are not alike."""
        if "users" in document["application"] and "network" in document:
            yield (
                "application.users: are at the ends of copies of a [chain], but this file is about a [network]; leave "
                "it out for the two users of network.pair, or gather in Python with `qtn.arms_to_hub` and `qtn.gather`"
            )

    @classmethod
    def build(cls, table: Document) -> Sensor:
        """Build what measures."""
        time = table.get("probe_time_s", "optimised")
        return Sensor(
            users=table.get("users"),
            probe_time=None if isinstance(time, str) else time,
            dephasing_rate=table.get("dephasing_hz", 0.0),
            cutoff_time=table.get("cutoff_time_s"),
            frequency=table.get("frequency_hz"),
            measurement=Measurement(table.get("measurement", Measurement.BEST)),
        )

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return its quantities; a stability only of clocks, whose frequency is given."""
        return ROWS if table.get("frequency_hz") is None else (*ROWS, STABILITY)

    @classmethod
    def warnings(cls, use: Sensing) -> list[str]:
        """Say what the time grid leaves out."""
        return use.warnings()

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Say what entanglement is worth, and what waiting costs."""
        gain, waiting, cycle = (numbers[f"sensor_{name}"] for name in ("gain", "waiting_s", "cycle_s"))
        than = f"{gain:.4g} times smaller" if gain >= 1 else f"{1 / gain:.4g} times larger" if gain > 0 else "infinite"
        return [
            f"With shared states the uncertainty is {than} than with as many qubits that share nothing and never wait; "
            f"{waiting / cycle:.1%} of each cycle is waiting."
        ]
