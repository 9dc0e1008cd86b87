"""Keys of finite blocks, with sessions that abort and an eavesdropper: `model = "key"`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import jax.numpy as jnp
import numpy as np
from pydantic import Field

from qtn import _ranges as within
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.problem import number as unit
from qtn.problem.application.application import Application
from qtn.problem.number import Number
from qtn.problem.table import Choice, Document, Table
from qtn.problem.together import exactly_one
from qtn.qkd.assumptions import Assumptions, Authentication
from qtn.qkd.attacks import Cloner, entangling_probe, intercept_resend
from qtn.qkd.keys import Keys, KeyUse, Protocol
from qtn.qkd.night_keys import NightUse
from qtn.qkd.security import Security
from qtn.qkd.tails import Tail
from qtn.qkd.timed import TimedKey

Demand = within.Range(0.0, 1.0, lower_closed=False, upper_closed=False)
Optimised = Literal["optimised"]

Row = partial(Quantity, in_use=True)


def _of(read: Callable[[TimedKey], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use.key)


def _time(key: TimedKey) -> Any:
    """Return the time to the first key [s]; nan where there is none."""
    return jnp.where(key.session.key_bits > 0, key.time_to_key, jnp.nan)


# fmt: off
ROWS = (
    Row("finite_key_rate_hz", "bit/s", "finite-key rate", _of(lambda key: key.rate), clipped=True, better=Better.MORE,
        per_pair=1.0),
    Row("key_bits", "bit", "key of one block", _of(lambda key: key.session.key_bits), clipped=True, better=Better.MORE),
    Row("p_abort", "", "probability of abort", _of(lambda key: key.session.p_abort), better=Better.LESS),
    Row("restarts", "", "expected restarts", _of(lambda key: key.session.restarts), better=Better.LESS),
    Row("time_to_key_s", "s", "time to the first key", _of(_time), better=Better.LESS),
    Row("p_undetected", "", "attack not noticed", _of(lambda key: key.session.p_undetected), better=Better.LESS),
    Row("phase_error", "", "bound on phase errors", _of(lambda key: key.session.phase_error), better=Better.LESS),
    Row("leak_bits", "bit", "revealed by error correction", _of(lambda key: key.session.leak_bits), better=Better.LESS),
)
# fmt: on


class Block(Table):
    """How long a block is."""

    rules = (exactly_one("signals", "seconds"),)

    signals: (
        Annotated[float, Number("Signals of a block: pairs, or pulses", within.Range(4.0, upper_closed=False))] | None
    ) = None
    seconds: Annotated[float, Number("Length of a block in seconds", within.POSITIVE)] | None = None


class SecurityTable(Table):
    """Largest distances of each key from an ideal one."""

    secrecy: Annotated[float, Number("Distance from a key of which Eve knows nothing", Demand)] = 1e-10
    correctness: Annotated[float, Number("Chance that the parties end with different keys", Demand)] = 1e-10


class InterceptResend(Table):
    """Eve measures a part of all signals in Z or X and sends on what she found."""

    model: Literal["intercept_resend"]
    fraction: Annotated[float, Number("Part of the signals that Eve measures", within.PROBABILITY)]

    @classmethod
    def build(cls, table: Document) -> Any:
        """Build the attack."""
        return intercept_resend(table["fraction"])


class EntanglingProbe(Table):
    """Eve entangles each qubit with a probe that she keeps."""

    model: Literal["entangling_probe"]
    angle_rad: Annotated[
        float, Number("Angle of the probe: error rate sin^2(angle/2)", within.Range(0.0, np.pi / 2), unit=unit.RAD)
    ]
    cloner: Choice[Cloner] = Cloner.PHASE_COVARIANT

    @classmethod
    def build(cls, table: Document) -> Any:
        """Build the attack."""
        return entangling_probe(table["angle_rad"], table.get("cloner", Cloner.PHASE_COVARIANT))


class AssumptionsTable(Table):
    """What is taken for granted."""

    trusted_nodes: bool = Field(
        default=False, description="Whether nodes between the ends are trusted; keys of swapped pairs do not need it"
    )
    characterised_detectors: bool = Field(default=True, description="Whether detectors are as they were measured to be")
    pure_source: bool = Field(default=True, description="Whether sources emit the states of the protocol alone")
    authentication: Choice[Authentication] = Authentication.PRE_SHARED


class KeyDistribution(Application):
    """A key of finite blocks; see `qtn.qkd`."""

    quantities: ClassVar = ROWS
    roots: ClassVar = ("chain", "network", "line", "overpass")
    keeps_pairs: ClassVar = False

    model: Literal["key"]
    protocol: Choice[Protocol] | None = Field(
        default=None, description="The protocol; by default the one that goes with the signals"
    )
    block: Block | None = Field(default=None, description="How long a block is; of [overpass] every pass is one")
    test_fraction: (
        Annotated[float, Number("Part of the bits measured alike that is compared", Demand, traced=False)] | Optimised
    ) = "optimised"
    abort_above: (
        Annotated[float, Number("Error rate above which a block is discarded", within.BELOW_HALF, traced=False)]
        | Optimised
    ) = "optimised"
    tail: Choice[Tail] = Tail.EXACT
    security: SecurityTable = SecurityTable()
    correction: (
        Annotated[
            float,
            Number(
                "Bits that error correction reveals, over Shannon's bound (1.1 of pairs, 1.16 of pulses)",
                within.AT_LEAST_ONE,
            ),
        ]
        | None
    ) = None
    attack: Annotated[InterceptResend | EntanglingProbe, Field(discriminator="model")] | None = Field(
        default=None, description="Against whom the test is judged"
    )
    assumptions: AssumptionsTable = AssumptionsTable()

    @classmethod
    def fits(cls, document: Mapping[str, Any]) -> Iterator[str]:
        """Check that protocol, test and attack go with the signals, and that there is one protocol."""
        table, merit, passes = (document.get(key) for key in ("application", "merit", "overpass"))
        root = next((key for key in ("line", "overpass") if key in document), "chain")
        line = document.get(root)
        assert isinstance(table, dict)
        if passes is not None and "block" in table:
            yield "application.block: is each pass of [overpass], as one pass is one block; remove it"
        if passes is None and "block" not in table:
            yield "application.block: is missing; add `block = { seconds = ... }`, or signals"
        if isinstance(merit, dict) and "protocol" in merit:
            yield 'merit.protocol: is for infinite keys, and application.model = "key" has its own protocol; remove it'
        source = line.get("source") if isinstance(line, dict) else None
        pulsed = isinstance(source, dict) and source.get("model") == "weak_pulses"
        right = Protocol.DECOY_BB84 if pulsed else Protocol.BBM92
        signals = "weak pulses" if pulsed else "pairs"
        given = table.get("protocol", right)
        if given in list(Protocol) and given != right:
            yield f'application.protocol: must be "{right}", because the signals are {signals}, but is "{given}"'
        if pulsed and "test_fraction" in table:
            yield (
                f"application.test_fraction: follows from {root}.source.p_key_basis, because all bits of the other "
                "basis are compared; remove it"
            )
        attack = table.get("attack")
        if pulsed and isinstance(attack, dict) and attack.get("model") == "entangling_probe":
            yield (
                'application.attack.model: "entangling_probe" acts on one qubit on its way, and a pulse may hold '
                f'several photons, so that it does not apply to "{right}"; use "intercept_resend"'
            )

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return its quantities; that of an attack where there is one."""
        return ROWS if "attack" in table else tuple(each for each in ROWS if each.name != "p_undetected")

    @classmethod
    def build(cls, table: Document) -> Keys:
        """Build what makes keys."""
        attack, given = table.get("attack"), {"trusted_nodes": False, **table.get("assumptions", {})}
        chosen = {key: x for key in ("test_fraction", "abort_above") if not isinstance(x := table[key], str)}
        return Keys(
            **Block.in_si(table.get("block", {})),
            **chosen,
            security=Security(**SecurityTable.in_si(table["security"])),
            correction=table.get("correction"),
            attack=None if attack is None else cls.part("attack", attack).build(attack),
            tail=Tail(table["tail"]),
            assumptions=Assumptions(**given),
        )

    @classmethod
    def warnings(cls, use: KeyUse | NightUse) -> list[str]:
        """Say which block would give a key, and what is assumed to be insecure."""
        key = "overpass" if isinstance(use, NightUse) else "application.block"
        return [f"{key}: {line}" for line in use.warnings()]

    @classmethod
    def told(cls, use: KeyUse | NightUse) -> list[str]:
        """Say how surely the attack is caught, and what is assumed."""
        return use.sentences()
