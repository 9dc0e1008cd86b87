"""Users who share a network: `model = "shares"`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.problem import number as unit
from qtn.problem.application.application import Application
from qtn.problem.choices import KeyProtocol
from qtn.problem.number import Number
from qtn.problem.table import Choice, Document, Table
from qtn.services.demands import Fairness, Kind, demand
from qtn.services.share_network import NetworkShare, Sharing

Row = partial(Quantity, in_use=True)
POSITIVE = within.Range(0.0, 1e300, lower_closed=False)


def _of(read: Callable[[NetworkShare], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use)


ROWS = (
    Row("share_welfare", "", "welfare", _of(lambda use: use.welfare), better=Better.MORE),
    Row("share_least_hz", "Hz", "least rate of a demand", _of(lambda use: use.rates.min()), better=Better.MORE),
    Row("share_total_hz", "Hz", "rates of all demands", _of(lambda use: use.rates.sum()), better=Better.MORE),
)


def rate_of(place: int) -> Callable[[Delivered], Any]:
    """Return what reads the rate of a demand."""
    return _of(lambda use: use.rates[place])


def users_differ(table: Document) -> Iterator[tuple[str, str]]:
    """A demand is of two users."""
    users = table.get("users")
    if isinstance(users, list) and len(users) == 2 and users[0] == users[1]:
        yield "users", f"must be two different nodes, but both are {users[0]!r}"


class Asked(Table):
    """What two users ask for; see `qtn.services.demand`."""

    rules = (users_differ,)

    users: Annotated[list[str], Field(min_length=2, max_length=2)] = Field(description="Names of two nodes")
    kind: Choice[Kind] = Field(default=Kind.KEY, description="Secret bits, or pairs")
    weight: Annotated[float, Number("How much its rate counts beside others", POSITIVE, traced=False)] = 1.0
    least_fidelity: Annotated[float, Number("Of a pair that is good enough", within.Range(0.0, 1.0), traced=False)] = (
        0.0
    )
    wanted_hz: (
        Annotated[float, Number("Rate that is enough; more is not given", POSITIVE, unit=unit.HZ, traced=False)] | None
    ) = None
    num_paths: Annotated[int, Number("Shortest paths to choose from", within.Range(1.0, 20.0), traced=False)] = 4
    rounds: Annotated[int, Number("Most rounds of distillation of links", within.Range(0.0, 4.0), traced=False)] = 0


class SharedNetwork(Application):
    """Users who share the links of a network; see `qtn.services.share_network`."""

    roots: ClassVar = ("network",)
    quantities: ClassVar = ROWS
    whole_root: ClassVar = True

    model: Literal["shares"]
    demands: Annotated[list[Asked], Field(min_length=1, max_length=2000)]
    fairness: Choice[Fairness] = Field(default=Fairness.MAX_MIN, description="What is maximised")
    trusted: list[str] = Field(default=[], description="Names of nodes that relay keys, and read them")
    protocol: Choice[KeyProtocol] = Field(
        default=KeyProtocol("bb84"), description="Of keys; that of [merit] unless it is given here"
    )

    @classmethod
    def complete(cls, document: dict[str, Any], folder: Path) -> list[str]:
        """Take the protocol of [merit]."""
        merit, table = document.get("merit"), document["application"]
        if isinstance(merit, dict) and "protocol" in merit:
            table.setdefault("protocol", merit["protocol"])
        return []

    @classmethod
    def fits(cls, document: Mapping[str, Any]) -> Iterator[str]:
        """Users and trusted nodes are nodes of the network."""
        network, table = document.get("network"), document["application"]
        nodes = network.get("nodes") if isinstance(network, dict) else None
        asked = table.get("demands")
        if not isinstance(nodes, dict):
            return
        named = [("application.trusted", table.get("trusted"))]
        for place, each in enumerate(asked if isinstance(asked, list) else ()):
            named.append((f"application.demands.{place}.users", each.get("users") if isinstance(each, dict) else None))
        some = ", ".join(list(nodes)[:12]) + (", ..." if len(nodes) > 12 else "")
        for key, names in named:
            for name in names if isinstance(names, list) else ():
                if isinstance(name, str) and name not in nodes:
                    yield f"{key}: there is no node {name!r}; nodes are {some}"

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return the numbers of the whole network, and the rate of each demand."""
        asked = table.get("demands")
        own = []
        for place, each in enumerate(asked if isinstance(asked, list) else ()):
            users = each.get("users") if isinstance(each, dict) else None
            words = " and ".join(map(str, users)) if isinstance(users, list) else str(place)
            own.append(Row(f"demand_{place}_hz", "Hz", f"rate of {words}"[:60], rate_of(place), better=Better.MORE))
        return (*ROWS, *own)

    @classmethod
    def build(cls, table: Document) -> Sharing:
        """Build what shares."""
        return Sharing(
            demands=tuple(
                demand(
                    *each["users"],
                    kind=Kind(each.get("kind", Kind.KEY)),
                    weight=each.get("weight", 1.0),
                    least_fidelity=each.get("least_fidelity", 0.0),
                    wanted=each.get("wanted_hz", float("inf")),
                    num_paths=each.get("num_paths", 4),
                    rounds=each.get("rounds", 0),
                )
                for each in table["demands"]
            ),
            fairness=Fairness(table.get("fairness", Fairness.MAX_MIN)),
            trusted=tuple(table.get("trusted", ())),
            fraction=KeyProtocol(table.get("protocol", "bb84")).fraction,
        )

    @classmethod
    def warnings(cls, use: NetworkShare) -> list[str]:
        """Say who gets nothing, and which prices are one-sided."""
        return use.warnings()

    @classmethod
    def told(cls, use: NetworkShare) -> list[str]:
        """Say who gets what over which path, and which link to improve first."""
        return use.sentences()

    @classmethod
    def draws(cls, built: Sharing, use: NetworkShare) -> dict[str, Any]:
        """Return rates, paths and prices as plain data."""
        return use.plain()
