"""One key of many users from GHZ states that a hub gathers: `model = "conference"`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.problem import number as unit
from qtn.problem.application.application import Application, Needs
from qtn.problem.number import Number
from qtn.problem.table import Choice, Document
from qtn.qkd.conference import MOST_PATTERNS, ConferenceProtocol
from qtn.qkd.conference_over_chain import Conference, ConferenceUse
from qtn.qkd.group_states import Check
from qtn.qkd.pairwise import Pairwise
from qtn.schedules.policy import Ends
from qtn.steps.level import PAULI

MORE, LESS = Better.MORE, Better.LESS
Row = partial(Quantity, level=PAULI, in_use=True)


def _of(read: Callable[[ConferenceUse], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use)


# fmt: off
ROWS = (
    Row("conference_key_rate_hz", "bit/s", "key of all users", _of(lambda use: use.key.rate), clipped=True, better=MORE,
        per_pair=1.0),
    Row("conference_fraction", "bit", "key of one GHZ state", _of(lambda use: use.key.fraction), clipped=True,
        better=MORE, most=1.0),
    Row("pairwise_key_rate_hz", "bit/s", "the same from pair keys", _of(lambda use: use.pairwise.rate), better=MORE,
        per_pair=1.0),
    Row("secret_sharing_rate_hz", "bit/s", "shared secrets", _of(lambda use: use.secret.rate), clipped=True,
        better=MORE, per_pair=1.0),
    Row("conference_rate_hz", "Hz", "GHZ states", _of(lambda use: use.rate), better=MORE, per_pair=1.0),
    Row("conference_time_s", "s", "wait for a GHZ state", _of(lambda use: use.group.mean_time), better=LESS),
    Row("conference_time_95_s", "s", "the same, 95% quantile",
        _of(lambda use: use.time_95), better=LESS),
    Row("conference_p_success", "", "gathering succeeds", _of(lambda use: use.group.p_success), better=MORE, most=1.0),
    Row("ghz_fidelity", "", "fidelity of the GHZ state", _of(lambda use: use.fidelity), better=MORE, most=1.0),
    Row("conference_qber_x", "", "error rate of X", _of(lambda use: use.key.qber_x), better=LESS),
    Row("conference_qber_z", "", "largest error rate of Z", _of(lambda use: use.key.worst_z), better=LESS),
)
ANONYMOUS = Row("anonymous_pair_fidelity", "", "fidelity of an anonymous pair",
                _of(lambda use: use.anonymous_fidelity), better=MORE, most=1.0)
# fmt: on


def users_are_alike(table: Document) -> Iterator[tuple[str, str]]:
    """Users are a number, as all are at the end of a copy of one chain."""
    users = table.get("users")
    if isinstance(users, list | tuple | str):
        yield (
            "users",
            "names users of a network, but all users are alike here, each at the left end of a copy of [chain]; give "
            "their number, such as 5, or gather along a graph in Python with `qtn.arms_to_hub` and `qtn.gather`",
        )
    few = isinstance(users, int) and users <= MOST_PATTERNS
    if isinstance(users, int) and not few and table.get("protocol") == ConferenceProtocol.GHZ_DIAGONAL:
        yield (
            "protocol",
            f'"{ConferenceProtocol.GHZ_DIAGONAL}" sums 2^users weights and takes up to {MOST_PATTERNS} users, but '
            f'application.users is {users}; use "{ConferenceProtocol.BB84}"',
        )


GatheringCutoff = (
    Annotated[
        float, Number("Pairs not all there that long after the first are given up", within.POSITIVE_OR_INF, unit=unit.S)
    ]
    | None
)
"""Key of every application that gathers pairs of many users."""


class ConferenceKeys(Application):
    """Users at the left ends of copies of the chain, whose right ends meet at one hub; see `qtn.qkd.conference`."""

    rules = (users_are_alike,)
    roots: ClassVar = ("chain",)
    needs: ClassVar = Needs.OUTCOME
    quantities: ClassVar = (*ROWS, ANONYMOUS)
    asked_by: ClassVar = {ANONYMOUS.name: f'`ends = "{Ends.KEPT}"`'}

    model: Literal["conference"]
    users: Annotated[
        int, Number("Users, each at the left end of a copy of the chain", within.Range(2.0, 100.0), traced=False)
    ]
    protocol: Choice[ConferenceProtocol] = ConferenceProtocol.BB84
    pairwise: Choice[Pairwise] = Pairwise.NEIGHBOURS
    check: Choice[Check] = Check.Z
    ends: Choice[Ends] = Field(default=Ends.MEASURED, description="Whether users measure at once, or keep their qubits")
    cutoff_time_s: GatheringCutoff = None
    correction: Annotated[
        float, Number("Bits that error correction reveals, over Shannon's bound", within.AT_LEAST_ONE)
    ] = 1.0

    @classmethod
    def complete(cls, document: dict[str, Any], folder: Path) -> list[str]:
        """Say so where the hub, the last node of the chain, has no gates."""
        chain = document.get("chain")
        chain = chain if isinstance(chain, dict) else {}
        nodes = chain["nodes"] if isinstance(chain.get("nodes"), list) else []
        hub = nodes[-1] if nodes else chain.get("node")
        swap = hub.get("swap") if isinstance(hub, dict) else None
        if not isinstance(swap, dict) or swap.get("model") != "linear_optics":
            return []
        key = f"chain.nodes.{len(nodes) - 1}" if nodes else "chain.node"
        more = "" if nodes else ", with one [[chain.nodes]] table a node"
        return [
            f'{key}.swap.model: "linear_optics" joins two halves, but the last node of the chain is the hub that joins '
            f'those of application.users; use "gates" there{more}'
        ]

    @classmethod
    def build(cls, table: Document) -> Conference:
        """Build what gathers and makes keys."""
        return Conference(
            users=table["users"],
            protocol=ConferenceProtocol(table.get("protocol", ConferenceProtocol.BB84)),
            pairwise=Pairwise(table.get("pairwise", Pairwise.NEIGHBOURS)),
            check=Check(table.get("check", Check.Z)),
            ends=Ends(table.get("ends", Ends.MEASURED)),
            cutoff_time=table.get("cutoff_time_s"),
            correction=table.get("correction", 1.0),
        )

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return its quantities; a pair that is still there only where users keep their qubits."""
        return (*ROWS, ANONYMOUS) if table.get("ends") == Ends.KEPT else ROWS

    @classmethod
    def warnings(cls, use: ConferenceUse) -> list[str]:
        """Say what the time grid leaves out."""
        return use.warnings()

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Say whether one key of all beats pair keys."""
        ours, pairs = numbers["conference_key_rate_hz"], numbers["pairwise_key_rate_hz"]
        if max(ours, pairs) <= 0:
            return ["Neither GHZ states nor pairs over the same arms give a key to all users."]
        if ours <= 0:
            return [f"GHZ states give no key to all users; pair keys over the same arms give {pairs:.4g} bit/s."]
        if pairs <= 0:
            return ["GHZ states give a key to all users where pair keys over the same arms give none."]
        better, worse, ratio = ("GHZ states", "pair keys", ours / pairs)
        if ratio < 1:
            better, worse, ratio = worse, better, 1 / ratio
        return [f"To bring one key to all users {better} are {ratio:.3g} times as fast as {worse} over the same arms."]
