"""The text form reads back what it writes."""

from typing import cast

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtn._ranges import LARGEST, SMALLEST
from qtn.schedules.builders import distill, elementary, pump, swap, wait
from qtn.schedules.families import nested, sequential
from qtn.schedules.limits import Limits
from qtn.schedules.text import parse, to_text
from qtn.schedules.tokens import MAX_CHARACTERS
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, recurrence
from qtn.steps.distill import BBPSSW, DEJMPS, DistillationProtocol

CUSTOM = DistillationProtocol(name="custom", circuit=DEJMPS.circuit)


def same(one: Schedule, other: Schedule) -> bool:
    times = [(s.cutoff_times.tolist(), s.wait_times.tolist()) for s in (one, other)]
    return one.tree == other.tree and times[0] == times[1]


CANONICAL = [
    "0",
    "17",
    "swap(0, 1)",
    "swap(0, 1, cutoff_time=0.2)",
    "swap(0, 1, cutoff_time=inf)",
    "swap(0, 1, cutoff_time=0.0)",
    "swap(3, swap(4, 5, cutoff_time=1e-05), cutoff_time=0.30000000000000004)",
    "distill(0)",
    "distill(0, rounds=3)",
    'distill(0, rounds=2, protocol="dejmps", cutoff_time=0.2)',
    "distill(distill(0, rounds=2, cutoff_time=0.1), rounds=2, cutoff_time=0.1)",
    'distill(distill(0, rounds=2), rounds=3, protocol="dejmps")',
    "distill(0, distill(0))",
    "distill(distill(0, distill(0)))",
    "distill(swap(0, 1, cutoff_time=1.0), swap(0, 1, cutoff_time=1.0), cutoff_time=2.0)",
    "wait(0, 0.01)",
    "wait(wait(0, 0.0), 1e+300)",
    "distill(wait(0, 1.5), wait(0, 2.5))",
]


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_text_is_a_fixed_point(text: str):
    assert to_text(parse(text)) == text


FREE = {
    "white space": (" swap (\n\t0 ,\r\n 1 , cutoff_time = 0.5 ) \n", "swap(0, 1, cutoff_time=0.5)"),
    "no space": ("swap(0,1,cutoff_time=.5)", "swap(0, 1, cutoff_time=0.5)"),
    "trailing commas": ("swap(wait(0,1,),1,)", "swap(wait(0, 1.0), 1)"),
    "trailing comma after an option": ("distill(0,rounds=2,)", "distill(0, rounds=2)"),
    "numbers": (
        "wait(wait(wait(wait(0, 1e-3), .5), 2.), +3)",
        "wait(wait(wait(wait(0, 0.001), 0.5), 2.0), 3.0)",
    ),
    "overflow": ("swap(0, 1, cutoff_time=1e999)", "swap(0, 1, cutoff_time=inf)"),
    "single quotes": ("distill(0, protocol='dejmps')", 'distill(0, protocol="dejmps")'),
    "options in any order": (
        'distill(0, cutoff_time=1, protocol="dejmps", rounds=2)',
        'distill(0, rounds=2, protocol="dejmps", cutoff_time=1.0)',
    ),
    "one round": ("distill(0, rounds=1)", "distill(0)"),
    "default named": ('distill(0, protocol="bbpssw")', "distill(0)"),
    "rounds written out": ("distill(distill(0))", "distill(0, rounds=2)"),
    "the same twice": ("distill(0, 0)", "distill(0)"),
}


@pytest.mark.parametrize(("text", "canonical"), FREE.values(), ids=FREE)
def test_free_forms(text: str, canonical: str):
    assert to_text(parse(text)) == canonical


BUILT = {
    "swap": swap(elementary(0), elementary(1), cutoff_time=0.2),
    "distill": distill(elementary(0), rounds=3, protocol=DEJMPS, cutoff_time=0.1),
    "distill two": distill(wait(elementary(0), 0.1), wait(elementary(0), 0.1), cutoff_time=0.1),
    "most rounds": distill(elementary(0), rounds=100, cutoff_time=0.1),
    "more rounds": distill(distill(elementary(0), rounds=100), rounds=100),
    "nested": nested(4, (1, 0, 2, 0, 1), cutoff_times=(0.1, 0.2, 0.3, 0.4)),
    "sequential": sequential(64, cutoff_time=1 / 3),
    "long": sequential(3000, cutoff_time=0.5),
}


@pytest.mark.parametrize("schedule", BUILT.values(), ids=BUILT)
@pytest.mark.parametrize("protocol", [BBPSSW, DEJMPS, CUSTOM], ids=lambda protocol: protocol.name)
def test_round_trip_of_builders(schedule: Schedule, protocol: DistillationProtocol):
    assert same(parse(to_text(schedule, protocol=protocol), protocol=protocol), schedule)


FINITE = st.just(0.0) | st.floats(min_value=SMALLEST, max_value=LARGEST)
TIMES = FINITE | st.just(float("inf"))


@st.composite
def limits(draw: st.DrawFn, step: str) -> Limits:
    """Numbers of a step that go together."""
    age = {"cutoff_time": TIMES}
    soft = age | {"cutoff_width": st.floats(1e-9, 1e9)}
    kept = {"min_fidelity": st.just(0.0) | st.floats(SMALLEST, 1)} if step != "pump" else age
    chosen = draw(st.sampled_from([{}, age, soft, kept]))
    others = {"run_time": TIMES, "latency": FINITE}
    chosen = chosen | {name: others[name] for name in draw(st.sets(st.sampled_from(sorted(others))))}
    return cast(Limits, {name: draw(values) for name, values in chosen.items()})


@st.composite
def schedules(draw: st.DrawFn, first: int = 0, last: int = 3, depth: int = 4) -> Schedule:
    kinds = [*(["swap"] if last > first else ["link"]), *(["distill", "both", "pump", "wait"] if depth > 0 else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "link":
        return elementary(first)
    if kind == "wait":
        return wait(draw(schedules(first, last, depth - 1)), draw(FINITE))
    own = draw(limits("pump" if kind == "pump" else "distill"))
    if kind == "swap":
        middle = draw(st.integers(first, last - 1))
        left, right = draw(schedules(first, middle, depth - 1)), draw(schedules(middle + 1, last, depth - 1))
        return swap(left, right, **own)
    protocol = draw(st.sampled_from([BBPSSW, DEJMPS]))
    kept = draw(schedules(first, last, depth - 1))
    if kind == "both":
        return distill(kept, draw(schedules(first, last, depth - 1)), protocol=protocol, **own)
    rounds = draw(st.integers(1, 4))
    if kind == "pump":
        fresh = draw(st.none() | schedules(first, last, depth - 1))
        return pump(kept, fresh, rounds=rounds, protocol=protocol, **own)
    return distill(kept, rounds=rounds, protocol=protocol, **own)


@pytest.mark.parametrize("examples", [25, pytest.param(250, marks=pytest.mark.slow)])
def test_round_trip_of_random_schedules(examples):
    @settings(derandomize=True, deadline=None, max_examples=examples)
    @given(schedules(), st.sampled_from([BBPSSW, DEJMPS]))
    def check(schedule: Schedule, protocol: DistillationProtocol):
        text = to_text(schedule, protocol=protocol)
        assert same(parse(text, protocol=protocol), schedule)
        assert to_text(parse(text, protocol=protocol), protocol=protocol) == text

    check()


def test_slots_follow_the_text():
    left, right = "distill(wait(0, 10), rounds=2, cutoff_time=1)", "distill(wait(1, 20), 1, cutoff_time=2)"
    text = f"swap({left}, {right}, cutoff_time=3)"
    schedule = parse(text)
    assert schedule.cutoff_times.tolist() == [1.0, 2.0, 3.0]
    assert schedule.wait_times.tolist() == [10.0, 20.0]
    assert isinstance(schedule.tree, Swap) and schedule.tree.cutoff == 2


def test_default_protocol():
    assert parse("distill(0)").tree == recurrence(Elementary(0), 1, BBPSSW)
    assert parse("distill(0)", protocol=DEJMPS).tree == recurrence(Elementary(0), 1, DEJMPS)
    assert parse("distill(0, protocol='bbpssw')", protocol=CUSTOM).tree == parse("distill(0)").tree


def test_gradient_of_numbers_read_from_text():
    schedule = parse("wait(swap(0, 1, cutoff_time=3), 0.5)")
    gradient = jax.grad(lambda s: s.cutoff_times[0] ** 2 * s.wait_times[0])(schedule)
    assert gradient.cutoff_times.tolist() == [3.0] and gradient.wait_times.tolist() == [9.0]


def test_slot_shared_by_hand_is_written_for_each():
    tree = Swap(Swap(Elementary(0), Elementary(1), 0), Elementary(2), 0)
    schedule = Schedule(tree=tree, cutoff_times=jnp.array([0.5]), wait_times=jnp.zeros(0))
    assert to_text(schedule) == "swap(swap(0, 1, cutoff_time=0.5), 2, cutoff_time=0.5)"


def test_double_precision_is_demanded():
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="double precision"):
        parse("0")


def doubling(depth: int) -> Schedule:
    tree = Elementary(0)
    for _ in range(depth):
        tree = Distill(tree, Distill(tree, tree, BBPSSW), BBPSSW)
    return Schedule(tree=tree, cutoff_times=jnp.zeros(0), wait_times=jnp.zeros(0))


def test_writer_errors():
    with pytest.raises(ValueError, match=r"protocols that the text form knows \(bbpssw, dejmps, cnot, .*\).*'custom'"):
        to_text(distill(elementary(0), protocol=CUSTOM))
    with pytest.raises(ValueError, match=f"fit in a text of {MAX_CHARACTERS} characters"):
        to_text(doubling(60))
    with pytest.raises(ValueError, match="`cutoff_times` is traced"):
        jax.jit(lambda s: to_text(s))(sequential(2, cutoff_time=1.0))


def test_numbers_too_small_or_large_to_compute_with_say_so():
    for name, value in (("min_fidelity", 2e-309), ("cutoff_time", 1e301)):
        with pytest.raises(ValueError, match=r"must be 0, or lie between 1e-300 and 1e\+300 in size, but is"):
            distill(elementary(0), **{name: value})
        with pytest.raises(ValueError, match=r"must be 0, or lie between 1e-300 and 1e\+300 in size, but is"):
            parse(f"distill(0, {name}={value})")
