"""The state level of a search: one that is exact for every schedule of its space."""

from collections.abc import Sequence

from qtn.evaluators.levels import choose_level, require_level
from qtn.links.chain import Chain
from qtn.schedules.builders import distill, elementary
from qtn.schedules.tree import Schedule
from qtn.steps.distill import PROTOCOLS, DistillationProtocol
from qtn.steps.level import Level, PauliLevel


def level_for(
    chain: Chain, protocols: Sequence[DistillationProtocol], given: Level | None = None, *, whole: bool = False
) -> Level:
    """Return the smallest state level that is exact for all these protocols on a chain, or check a given one.

    Args:
        chain: links and nodes, concrete numbers.
        protocols: all that may be used, in any combination.
        given: what the user asks for; None = choose.
        whole: whether it must hold the whole delivered state, and not only its Bell weights.

    Raises:
        ValueError: if there is none, with the protocols that are possible.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import qtn
        >>> line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
        >>> level_for(line, [PROTOCOLS["code5"]]).name, level_for(line, [PROTOCOLS["epl"]]).name
        ('bell_diagonal', 'x_type')
    """
    try:
        return _level(chain, protocols, given, whole)
    except ValueError as error:
        reason = str(error)
    possible = [name for name, each in PROTOCOLS.items() if _fits(chain, [each], given, whole)]
    wanted = [each.name for each in protocols]
    if set(wanted) <= set(possible):
        cure = f"Each of {', '.join(wanted)} is possible alone, but not together: leave one out"
    else:
        cure = f"Possible here: {', '.join(possible)}"
    raise ValueError(f"{reason} {cure}.")


def _level(chain: Chain, protocols: Sequence[DistillationProtocol], given: Level | None, whole: bool) -> Level:
    schedule = _using(protocols)
    if given is None:
        return choose_level(chain, schedule, whole=whole)
    if isinstance(given, PauliLevel):
        require_level(given, chain, schedule, whole=whole)
    return given


def _fits(chain: Chain, protocols: Sequence[DistillationProtocol], given: Level | None, whole: bool) -> bool:
    try:
        _level(chain, protocols, given, whole)
    except ValueError:
        return False
    return True


def _using(protocols: Sequence[DistillationProtocol]) -> Schedule:
    """Return some schedule that uses each of the protocols."""
    found = elementary(0)
    for protocol in protocols:
        found = distill(found, protocol=protocol)
    return found
