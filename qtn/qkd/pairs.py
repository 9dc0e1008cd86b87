"""Keys from delivered pairs: blocks of what a chain delivers, tested and aborted as those of single photons."""

from typing import Any

from qtn import _checks
from qtn.evaluators.outcome import Result, Summary
from qtn.merit.fidelity import qber_x, qber_z
from qtn.qkd.assumptions import Assumptions
from qtn.qkd.attacks import Attack
from qtn.qkd.finite_key import CORRECTION
from qtn.qkd.security import Security
from qtn.qkd.sessions import session
from qtn.qkd.tails import Tail
from qtn.qkd.timed import TimedKey


def pair_key(
    result: Result | Summary,
    *,
    signals: Any = None,
    seconds: Any = None,
    security: Security = Security(),
    tail: Tail | str = Tail.EXACT,
    num_test: Any = None,
    max_errors: Any = None,
    test_fraction: Any = None,
    abort_above: Any = None,
    correction: Any = CORRECTION,
    attack: Attack | None = None,
    assumptions: Assumptions = Assumptions(),
) -> TimedKey:
    """Return the keys of blocks of delivered pairs (BBM92): key bits from Z, compared bits from X measurements.

        rate = throughput / mean time,   block = seconds / mean time pairs

    Args:
        result: mean delivered pair and mean waiting time [s], of any evaluator.
        signals: pairs of a block.
        seconds: length of a block [s], instead.
        security: secrecy and correctness of each key.
        tail: which bound the phase error comes from; a `Tail` or its word.
        num_test: compared bits, whole; None = both numbers of the test as they give the most.
        max_errors: errors at which a session is still accepted, whole; given together with `num_test`.
        test_fraction: part of the bits measured alike that is compared, instead; None = as it gives the most.
        abort_above: error rate above which a session is aborted, instead; None = as it gives the most.
        correction: f >= 1, inefficiency of error correction.
        attack: eavesdropper on the right qubit of each pair, against whom the test is judged.
        assumptions: that the result carries.

    Returns:
        found: rate [Hz], time to the first key [s] and the session.

    Raises:
        ValueError: unless one of `signals` and `seconds` is given, or as `session` does.

    Note:
        Pairs count as independent and all like the mean one, blocks as filled at the mean rate. Differentiable in the
        state, the mean time and all numbers of the session but those of the test.

    References:
        Bennett, Brassard, Mermin, Phys. Rev. Lett. 68, 557 (1992);
        Tomamichel, Lim, Gisin, Renner, Nat. Commun. 3, 634 (2012), arXiv:1103.4130.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, chain, evaluate, nested
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1e-3, fidelity=0.97), num_links=1)
        >>> found = pair_key(evaluate(line, nested(0)), seconds=60.0)
        >>> round(float(found.rate), 1), round(float(found.time_to_key), 1)
        (109.0, 62.8)
    """
    if (signals is None) == (seconds is None):
        raise ValueError("One of the arguments `signals` and `seconds` must be given: how long a block is.")
    if signals is None:
        signals = _checks.positive_finite("seconds", seconds) / result.mean_time
    compared, raw = qber_x(result.state), qber_z(result.state)
    found = session(
        compared,
        signals=signals,
        security=security,
        tail=tail,
        num_test=num_test,
        max_errors=max_errors,
        test_fraction=test_fraction,
        abort_above=abort_above,
        raw_error_rate=raw,
        correction=correction,
        attack=attack,
        assumptions=assumptions,
    )
    return TimedKey.of(found, result.mean_time)
