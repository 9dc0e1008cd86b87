"""Keys of delivered pairs: those of a session in time, slopes by the state and the mean time, messages."""

import jax
import jax.numpy as jnp
import pytest

from qtn import abstract_link, chain, evaluate, nested
from qtn.evaluators.outcome import Summary
from qtn.qkd import Keys, Security, entangling_probe, pair_key, session
from qtn.qkd.attacks import attacked

PAIR = jnp.diag(jnp.array([1.0, 0.96, -0.94, 0.97]))
TEST = {"num_test": 3_000.0, "max_errors": 75.0}


def delivered(pair=PAIR, mean_time=1e-3):
    return Summary(mean_time=jnp.asarray(mean_time), state=jnp.asarray(pair), info=None)


def test_a_block_in_time_is_a_session_of_its_pairs():
    found = pair_key(delivered(), seconds=30.0)
    same = session(0.02, signals=30_000.0, raw_error_rate=0.015)
    assert found.rate == pytest.approx(float(same.throughput) * 1e3, rel=1e-12)
    assert found.time_to_key == pytest.approx(float(same.signals_to_key) * 1e-3, rel=1e-12)
    assert found.session.leak_bits < 1.1 * float(found.session.num_raw) * 0.17


def test_a_chain_gets_finite_keys():
    line = chain(abstract_link(p_success=0.5, attempt_time=1e-3, fidelity=0.98), num_links=2)
    result = evaluate(line, nested(1))
    found = Keys(security=Security(), seconds=60.0).run(result, line)
    assert 0 < found.key.rate < 1 / result.mean_time
    assert len(found.sentences()) == 5


def test_an_attack_on_pairs_is_seen_in_their_errors():
    seen = attacked(PAIR, entangling_probe(0.5))
    honest = pair_key(delivered(), signals=40_000.0, **TEST).session
    spied = pair_key(delivered(), signals=40_000.0, attack=entangling_probe(0.5), **TEST).session
    assert honest.p_undetected == pytest.approx(1 - float(honest.p_abort), abs=1e-12)
    assert spied.p_undetected < honest.p_undetected
    assert (1 - seen[1, 1]) / 2 == pytest.approx(0.02 + (1 - 2 * 0.02) * float(jnp.sin(0.25) ** 2), abs=1e-12)


def test_gradients():
    def rate(x):
        pair = PAIR.at[1, 1].set(x["xx"]).at[3, 3].set(x["zz"])
        return pair_key(delivered(pair, x["time"]), seconds=40.0, **TEST).rate

    numbers = {"xx": 0.96, "zz": 0.965, "time": 1e-3}
    slopes = jax.grad(rate)(numbers)
    for name, x in numbers.items():
        up, down = (float(rate({**numbers, name: x * (1 + s * 1e-5)})) for s in (1, -1))
        assert slopes[name] == pytest.approx((up - down) / (2e-5 * x), rel=1e-5), name


@pytest.mark.parametrize("block", [{}, {"signals": 1e4, "seconds": 1.0}], ids=["none", "both"])
def test_one_length_of_a_block_is_given(block):
    with pytest.raises(ValueError, match="One of the arguments `signals` and `seconds`"):
        pair_key(delivered(), **block)
