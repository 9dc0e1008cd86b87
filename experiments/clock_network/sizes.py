"""Which GHZ state is best: a larger one turns faster, but waits longer and is worse."""

from typing import Any

from qtn import Renewal, abstract_link, chain, elementary, pairs_of
from qtn.evaluators.gather import gather
from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import node
from qtn.schedules.policy import Ends
from qtn.sensing import group_fisher, group_parity_fisher

ATTEMPT, PROBE = 1e-3, 0.05
"""Attempts of an arm, and the probe that the laser of all clocks allows [s]."""
RATES = (10.0, 30.0, 100.0, 300.0)
"""Pairs of one arm a second [Hz]."""
COHERENCE = (0.3, 1.0, 3.0, 10.0)
"""T2 of the memories [s]."""
SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)
PAIR = (0.99, 0.0025, 0.0025, 0.005)
"""Bell weights of a new pair."""
BOTH = 6
"""Users up to which the best measurement is compared with parity."""


def gathered(rate: float, t2: float, users: int) -> Any:
    """Return the state of users whose pairs come at a rate into memories of a coherence time."""
    link = abstract_link(p_success=rate * ATTEMPT, attempt_time=ATTEMPT, bell_diagonal=list(PAIR))
    line = chain(link, num_links=1, nodes=node(memory=dephasing_memory(t2)))
    found = Renewal(step=ATTEMPT, num_steps=4096).evaluate(line, elementary(0))
    return gather([pairs_of(found, line)] * users, ends=Ends.KEPT)


def row(rate: float, t2: float, users: int) -> dict[str, float]:
    """Return one size: Fisher information of the angle, waiting time [s], and gain over clocks apart."""
    group = gathered(rate, t2, users)
    fisher, waiting = float(group_parity_fisher(group)), float(group.mean_time)
    found = {"users": users, "fisher": fisher, "waiting_s": waiting}
    found["gain"] = (fisher / users * PROBE / (PROBE + waiting)) ** 0.5
    return found | ({"parity_of_best": fisher / float(group_fisher(group))} if users <= BOTH else {})


def rows() -> dict[str, Any]:
    """Return all sizes, and the best one for each rate and memory."""
    found = []
    for rate in RATES:
        for t2 in COHERENCE:
            own = [row(rate, t2, users) for users in SIZES]
            best = max(own, key=lambda each: each["gain"])
            found.append({"rate_hz": rate, "t2_s": t2, "best": best, "sizes": own})
            print(rate, t2, best, flush=True)
    return {"probe_s": PROBE, "attempt_s": ATTEMPT, "bell_weights": PAIR, "rows": found}
