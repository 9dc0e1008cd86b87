"""All-photonic repeaters: sources of repeater graph states between stations that only measure."""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree, static
from qtn.codes.graph_state import RepeaterGraphState
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links.encoded import (
    Ends,
    checked_numbers,
    delivered,
    depolarised,
    kept_sign,
    light,
    repeated,
    require_working,
    stations,
)
from qtn.links.link import Heralded
from qtn.links.registered import scalar
from qtn.states.pair import CHARACTERS_FROM_BELL


@pytree
class GraphState:
    """N stations with a source of repeater graph states between any two of them; memories at the nodes only.

    Source nodes send m arms with their inner photons to either side, the nodes at the ends m photons each. A station
    half-way tries m Bell measurements, each of which succeeds with p_b eta^2; then it measures the inner photons.
    With eta = efficiency exp(-L / (2 N L_att)), mu = 1 - eta and P_X, P_Z of `qtn.codes.RepeaterGraphState`

        p = [1 - (1 - p_b eta^2)^m]^N (P_X^2 P_Z^(2m-2))^(N-1)

    Errors of inner photons, of the two photons of each Bell measurement and of the sources multiply as Pauli channels.
    As in the papers the qubits at the ends are measured at once, and an attempt takes as long as a graph state takes to
    make; with one station, and so no source, as long as the m pairs of a node. Where memories store them (`ends =
    "stored"`) they hold them for L n / c, until the farthest station has told its outcome, and an attempt takes that
    much longer.

    Note:
        Exact, Bell-diagonal, differentiable with respect to every field; N may be any real number
        >= 1, where signs are not negative; negative ones are exact at whole N alone.

    References:
        Azuma, Tamaki, Lo, Nat. Commun. 6, 6787 (2015), arXiv:1309.7207;
        Pant, Krovi, Englund, Guha, Phys. Rev. A 95, 012304 (2017), arXiv:1603.01353 (trees for inner photons).
    """

    code: RepeaterGraphState
    """The graph state; it has no numbers."""

    length: Float[Array, "..."]
    """L, fibre from node to node [m]."""

    num_stations: Float[Array, "..."]
    """N, stations that measure; there are N - 1 sources."""

    attenuation_length: Float[Array, "..."]
    """L_att, over which light falls to 1/e [m]."""

    p_bell: Float[Array, "..."]
    """p_b, success of a Bell measurement of two photons that arrive; 1/2 with linear optics."""

    efficiency: Float[Array, "..."]
    """Everything outside the fibre that a photon must pass."""

    photon_error: Float[Array, "..."]
    """Probability that a photon that arrives has suffered one of the three Pauli errors."""

    reencoding_error: Float[Array, "..."]
    """The same of the pair at each source."""

    emission_time: Float[Array, "..."]
    """Of one photon [s]."""

    gate_time: Float[Array, "..."]
    """Of one gate between two emitters [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]; it counts where ends are stored."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = generation time of a graph state."""

    ends: Ends = static(default=Ends.MEASURED)
    """What becomes of the qubits at the ends."""

    @property
    def segments(self) -> Any:
        """Number of spacings of fibre, from source to station."""
        return 2 * self.num_stations

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_graph_state(self)


def herald_graph_state(link: GraphState) -> Heralded:
    """Return what one attempt with repeater graph states offers.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state.

    Note:
        Exact, differentiable.
    """
    xp, count = library(link), link.num_stations
    eta = light(link.length / link.segments, link.attenuation_length, link.efficiency)
    inner = link.code.logical(loss=1 - eta, pauli=depolarised(link.photon_error))
    connect = link.code.p_connect(link.p_bell * eta**2)
    arms = kept_sign(link.photon_error) ** (2 * count)
    sources = repeated(CHARACTERS_FROM_BELL @ inner.weights, count - 1)
    again = kept_sign(link.reencoding_error) ** (count - 1)
    signs = sources * xp.stack([1.0 + 0 * arms, *[arms * again] * 3])
    times = link.emission_time, link.gate_time
    made = xp.where(count > 1, link.code.generation_time(*times), link.code.end_time(*times))
    return delivered(link, made, connect**count * inner.p_success ** (count - 1), signs, (1.0, 1.0))


def graph_state(
    *,
    code: Any,
    length: Any,
    num_stations: Any,
    attenuation_length: Any,
    p_bell: Any = 0.5,
    efficiency: Any = 1.0,
    photon_error: Any = 0.0,
    reencoding_error: Any = 0.0,
    emission_time: Any = 0.0,
    gate_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    attempt_time: Any = None,
    ends: Any = Ends.MEASURED,
) -> GraphState:
    """Build a link of all-photonic repeaters.

    Args:
        code: such as `qtn.codes.repeater_graph_state(8, [4, 3])`.
        length: fibre from node to node [m].
        num_stations: N >= 1, stations that measure, with a source between any two of them.
        attenuation_length: over which light falls to 1/e [m]; 21.7 km for 0.2 dB/km.
        p_bell: success of a Bell measurement of two photons that arrive, in (0, 1].
        efficiency: everything outside the fibre that a photon must pass, in (0, 1].
        photon_error: probability of one of the three Pauli errors on a photon that arrives, in [0, 3/4].
        reencoding_error: the same on the pair at each source, in [0, 3/4].
        emission_time: of one photon [s].
        gate_time: of one gate between emitters [s].
        refractive_index: group index of the fibre [1], at least 1; it counts where ends are stored.
        attempt_time: duration of one attempt [s]; None = generation time of a graph state, and the way over the whole
            link where ends are stored.
        ends: "measured" or "stored", what becomes of the qubits at the nodes.

    Raises:
        ValueError: if a value lies outside its range, an attempt takes no time, or none can succeed.

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.codes import repeater_graph_state
        >>> link = graph_state(code=repeater_graph_state(6, [4, 3]), length=100e3, num_stations=40,
        ...                    attenuation_length=20e3, efficiency=0.99, emission_time=1e-9)
        >>> print(f"{link.heralded().p_success:.4f}")
        0.1806
    """
    if not isinstance(code, RepeaterGraphState):
        raise ValueError(
            f"Argument `code` must be a graph state, such as `qtn.codes.repeater_graph_state(8, [4, 3])`, "
            f"but is {code!r}."
        )
    numbers = checked_numbers(
        length=length,
        attenuation_length=attenuation_length,
        efficiency=efficiency,
        photon_error=photon_error,
        reencoding_error=reencoding_error,
        emission_time=emission_time,
        gate_time=gate_time,
        refractive_index=refractive_index,
        attempt_time=attempt_time,
        ends=ends,
    )
    link = GraphState(
        code=code,
        num_stations=stations(num_stations),
        p_bell=scalar("p_bell", _checks.positive_probability, p_bell),
        **numbers,
    )
    require_working(link)
    return link
