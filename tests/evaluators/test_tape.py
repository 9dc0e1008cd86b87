"""The tape against jax.grad: any order of compiled pieces, shared results, static and whole-number arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn._pytree import pytree
from qtn.evaluators.tape import Tape


@pytree
class Both:
    """Two results of one piece."""

    a: jax.Array
    b: jax.Array


product = jax.jit(lambda a, b: a * b)
split = jax.jit(lambda x: Both(a=jnp.sin(x), b=x))
total = jax.jit(lambda both, scale: scale * jnp.sum(both.a * both.b))
same = jax.jit(lambda x: x)
entry = jax.jit(lambda x, index: x[index])
power = jax.jit(lambda n, x: x**n, static_argnums=0)


def through(run, x, y):
    """A program with shared parts, results passed on, floats, static numbers and whole-number arrays."""
    left = run(split, run(product, x, run(same, x)))
    right = run(split, y)
    middle = Both(a=left.b, b=run(same, right.a))
    picked = run(entry, run(power, 3, left.a), jnp.asarray(1))
    return run(product, run(total, middle, 0.5), run(product, picked, run(total, right, 2.0)))


def plain(piece, *args):
    return piece(*args)


X, Y = jnp.array([0.3, -0.7, 1.1]), jnp.array([0.2, 0.9, -0.4])


def test_gradients_are_those_of_jax():
    tape, x, y = Tape(), X + 0.0, Y + 0.0
    tape.watch([x, y])
    found = tape.gradients(through(tape, x, y), [x, y])
    for own, expected in zip(found, jax.grad(lambda *xy: through(plain, *xy), (0, 1))(X, Y), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-13)


def test_only_what_is_watched_has_a_derivative():
    tape, x, y = Tape(), X + 0.0, Y + 0.0
    tape.watch(x)
    value = through(tape, x, y)
    own, other = tape.gradients(value, [x, y])
    np.testing.assert_allclose(own, jax.grad(lambda x: through(plain, x, Y))(X), rtol=1e-13)
    assert not np.any(other)
    np.testing.assert_allclose(value, through(plain, X, Y), rtol=1e-15)


def test_an_array_that_is_used_outside_the_tape_counts_as_constant():
    tape, x = Tape(), jnp.asarray(3.0)
    tape.watch(x)
    assert float(tape.gradients(tape(product, x, x + 0.0), [x])[0]) == pytest.approx(3.0)


def test_several_results_of_one_run():
    tape, x = Tape(), X + 0.0
    tape.watch(x)
    both = tape(split, x)
    first, second = tape(entry, both.a, jnp.asarray(0)), tape(entry, both.b, jnp.asarray(2))
    np.testing.assert_allclose(tape.gradients(first, [x])[0], [np.cos(0.3), 0, 0], rtol=1e-15)
    np.testing.assert_allclose(tape.gradients(second, [x])[0], [0, 0, 1], rtol=1e-15)


def test_another_order_of_known_pieces_compiles_nothing():
    def first_order(run, x):
        return run(product, run(entry, x, jnp.asarray(0)), run(entry, run(power, 2, x), jnp.asarray(1)))

    def other_order(run, x):
        twice = run(power, 2, run(power, 2, x))
        return run(product, run(entry, twice, jnp.asarray(1)), run(entry, twice, jnp.asarray(2)))

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    for program in (first_order, other_order):
        compiled.clear()
        tape, x = Tape(), jnp.array([0.3, 0.7, 1.1])
        tape.watch(x)
        found = tape.gradients(program(tape, x), [x])[0]
    assert compiled == []
    np.testing.assert_allclose(found, jax.grad(lambda x: other_order(plain, x))(x), rtol=1e-13)
