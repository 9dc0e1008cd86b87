"""`qtn.sweep` from Python: a dataset with the right numbers, names and dimensions."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.sweeps.sweep import sweep


def test_a_grid_has_one_dimension_an_axis(capsys):
    axes = {"p": [0.1, 0.2], "w": {"start": 1.0, "stop": 3.0, "num": 3}}
    found = qtn.sweep(lambda p, w: {"f": p * w, "deep": {"g": p - w}}, axes, units={"p": "1", "f": "Hz"}, batch=2)
    assert found["f"].dims == ("p", "w")
    np.testing.assert_allclose(found["f"], np.outer([0.1, 0.2], [1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found["deep.g"].sel(p=0.2), [-0.8, -1.8, -2.8])
    assert (found["f"].attrs["units"], found["p"].attrs["units"]) == ("Hz", "1")
    assert "6/6" in capsys.readouterr().err, "a bar"


def test_zipped_axes_share_a_dimension():
    found = sweep(lambda a, b: a + b, {"a": [1.0, 2.0], "b": [10.0, 20.0]}, mode="zip", progress=False)
    assert found["value"].dims == ("point",)
    assert found["value"].values.tolist() == [11.0, 22.0]
    assert found["b"].dims == ("point",)


def test_derivatives_and_arrays():
    found = sweep(
        lambda x: {"d": jax.grad(lambda y: y**3)(x), "v": jnp.stack([x, x])}, {"x": [1.0, 2.0]}, progress=False
    )
    assert found["d"].values.tolist() == [3.0, 12.0]
    assert found["v"].dims == ("x", "v_0")


def test_static_axes_are_plain_and_compiled_once_each():
    seen = []

    def function(n, kind, x):
        seen.append((n, kind))
        assert isinstance(n, int)
        return x * n + (1 if kind == "up" else -1)

    axes = {"x": [0.0, 1.0, 2.0], "n": [2, 3], "kind": ["up", "down"]}
    found = sweep(function, axes, static=["n"], progress=False, batch=2)
    assert found["value"].sel(n=3, kind="down").values.tolist() == [-1.0, 2.0, 5.0]
    assert set(seen) == {(2, "up"), (2, "down"), (3, "up"), (3, "down")}
    assert len(seen) <= 8


def test_keys_belong_to_points():
    def function(x, key):
        return x + jax.random.normal(key)

    one, other = (
        sweep(function, {"x": np.arange(10.0)}, key=jax.random.key(1), batch=batch, progress=False) for batch in (3, 10)
    )
    np.testing.assert_array_equal(one["value"], other["value"])
    assert len(np.unique(one["value"] - np.arange(10.0))) == 10


def mean_time(length, memory, evaluator=None):
    line = qtn.chain(
        qtn.abstract_link(p_success=0.1 * 10 ** (-length / 50), attempt_time=1e-3, werner=0.98),
        qtn.node(qtn.depolarising_memory(memory), p_swap=0.5),
        num_links=2,
    )
    if evaluator == "planned":
        return qtn.Renewal().planned(line, qtn.nested(1))
    return qtn.evaluate(line, qtn.nested(1), evaluator=evaluator or qtn.Renewal()).mean_time


@pytest.mark.parametrize("compiled", [True, False])
def test_a_chain_is_swept(compiled):
    evaluator = mean_time(5.0, 1.0, "planned") if compiled else None
    axes = {"length": [1.0, 5.0], "memory": [0.1, 1.0]}
    found = sweep(lambda length, memory: mean_time(length, memory, evaluator), axes, compiled=compiled, progress=False)
    p = 0.1 * 10 ** (-np.array([1.0, 5.0]) / 50)
    np.testing.assert_allclose(found["value"].sel(memory=1.0), 1e-3 * (3 - 2 * p) / (0.5 * p * (2 - p)), rtol=1e-9)


def test_a_first_use_of_a_name_inside_a_traced_function():
    program = (
        "import jax; jax.config.update('jax_enable_x64', True); import qtn\n"
        "print(qtn.sweep(lambda x: x * qtn.fidelity(jax.numpy.ones(4)), {'x': [1.0, 2.0]}, progress=False).value.values)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[1. 2.]", done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(axes={"x": []}), "must hold at least one value"),
        (dict(axes={"x": [1.0]}, static=["n"]), "`static` names `n`, but the axes are x"),
    ],
)
def test_errors(options, words):
    with pytest.raises(ValueError, match=words):
        sweep(lambda x: x, progress=False, **options)


def test_structures_may_not_change_shapes():
    with pytest.raises(ValueError, match=r"Output `value` has shape \(3,\) here and \(2,\) elsewhere"):
        sweep(lambda n: jnp.ones(n), {"n": [2, 3]}, static=["n"], progress=False)
