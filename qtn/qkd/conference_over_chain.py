"""Users who are alike: each is joined to one hub by a copy of a chain."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.gather import GroupOutcome, gather
from qtn.evaluators.outcome import Outcome
from qtn.evaluators.pairs import pairs_of
from qtn.links.chain import Chain
from qtn.merit.fidelity import fidelity
from qtn.qkd.conference import (
    ConferenceKey,
    ConferenceProtocol,
    conference_key,
)
from qtn.qkd.group_states import Check, SharedSecret, anonymous_pair, secret_sharing
from qtn.qkd.pairwise import Pairwise, PairwiseKey, pairwise_key
from qtn.schedules.policy import Ends


@pytree
class ConferenceUse:
    """What users make of the GHZ states that copies of a chain bring them."""

    group: GroupOutcome
    key: ConferenceKey
    pairwise: PairwiseKey
    secret: SharedSecret

    rate: Float[Array, ""]
    """GHZ states per second [Hz]."""

    time_95: Float[Array, ""]
    """By when one is there with probability .95 [s]."""

    fidelity: Float[Array, ""]
    """Of the GHZ state."""

    anonymous_fidelity: Float[Array, ""]
    """Fidelity of a pair of two users after all others have measured X."""

    extrapolated: bool = static(default=False)
    """Whether the chain was evaluated on several grids, of which the finest one alone is used here."""

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with concrete numbers."""
        found = []
        if self.extrapolated:
            found.append(
                f"GHZ states are gathered on the finest time grid of the chain ({float(self.group.time.step):.3g} s), "
                "without the extrapolation that corrects its means: compare with a smaller time.step_s."
            )
        missing = 1 - float(self.group.time.probability.sum())
        if missing > 1e-6:
            found.append(
                f"The time grid holds {1 - missing:.2%} of the waiting time for a GHZ state; its mean is exact, later "
                "quantiles continue it as an exponential. Increase time.num_steps for more."
            )
        return found


@pytree
class Conference:
    """Users at the left ends of copies of a chain, whose right ends meet at one hub; see `qtn.gather`."""

    cutoff_time: Float[Array, ""] | float | None = None
    """[s]; None = never."""

    correction: Float[Array, ""] | float = 1.0
    users: int = static()
    protocol: ConferenceProtocol = static(default=ConferenceProtocol.BB84)
    pairwise: Pairwise = static(default=Pairwise.NEIGHBOURS)
    check: Check = static(default=Check.Z)
    ends: Ends = static(default=Ends.MEASURED)

    def run(self, result: Outcome, chain: Chain) -> ConferenceUse:
        """Return what that gives."""
        return _used(self, result, chain)


@jax.jit
def _used(conference: Conference, result: Outcome, chain: Chain) -> ConferenceUse:
    """Return what a conference makes of what a chain delivers, in one compiled function."""
    users, correction = conference.users, conference.correction
    arms, hub = [pairs_of(result, chain)] * users, chain.node(chain.num_links)
    options: dict[str, Any] = {"cutoff_time": conference.cutoff_time, "ends": conference.ends}
    terms: dict[str, Any] = {"protocol": conference.protocol, "correction": correction}
    group = gather(arms, hub, **options)
    return ConferenceUse(
        group=group,
        key=conference_key(group, **terms),
        pairwise=pairwise_key(arms, hub, via=conference.pairwise, **terms, **options),
        secret=secret_sharing(group, check=conference.check, correction=correction),
        rate=1 / group.mean_time,
        time_95=group.quantiles(np.array([0.95]))[0],
        fidelity=group.fidelity(),
        anonymous_fidelity=jnp.asarray(fidelity(anonymous_pair(group, 0, users - 1).state)),
        extrapolated=getattr(result.info, "num_grids", 1) > 1,
    )
