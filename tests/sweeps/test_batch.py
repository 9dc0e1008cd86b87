"""Functions of many points: the same numbers whatever the block, the lanes, the devices; memory bounded."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.sweeps.batch import Batched, free_memory

X = np.linspace(-2.0, 2.0, 23)


def function(point):
    return {"y": jnp.sin(point["x"]) * 3, "grad": jax.grad(jnp.cos)(point["x"]), "pair": jnp.stack([point["x"], 1.0])}


@pytest.mark.parametrize("block", [1, 5, 23, 100])
@pytest.mark.parametrize("lanes", [1, 4, None])
def test_batches_equal_the_loop(block, lanes):
    found = Batched(function, block=block, lanes=lanes)({"x": X})
    np.testing.assert_allclose(found["y"], np.sin(X) * 3, rtol=1e-15)
    np.testing.assert_allclose(found["grad"], -np.sin(X), rtol=1e-15)
    assert found["pair"].shape == (23, 2)


def test_draws_do_not_depend_on_blocks():
    def draw(point):
        return jax.random.normal(jax.random.fold_in(jax.random.key(0), point["index"]))

    index = {"index": np.arange(23)}
    one, other = (Batched(draw, block=block, lanes=lanes)(index) for block, lanes in ((23, 8), (4, 1)))
    np.testing.assert_array_equal(one, other)


def test_one_program_serves_all_numbers_of_points():
    traces = []

    def traced(point):
        traces.append(1)
        return point["x"]

    run = Batched(traced, block=8)
    for count in (8, 3, 1, 23):
        assert len(run({"x": X[:count]})) == count
    assert len(run._programs) == 1
    assert len(traces) <= 2, "once for the shapes, once for the program"


def wide(point):
    return jnp.sum(jnp.sort(jnp.outer(jnp.linspace(0.0, 1.0, 300), point["x"] * jnp.ones(300)) ** 2, axis=0))


def test_memory_decides_how_many_run_side_by_side():
    free = Batched(wide, block=64, lanes=64, memory=1e12)
    free.compile({"x": X})
    tight = Batched(wide, block=64, lanes=64, memory=free.bytes_used / 8)
    tight.compile({"x": X})
    assert tight.bytes_used <= free.bytes_used / 8
    np.testing.assert_allclose(tight({"x": X}), free({"x": X}), rtol=1e-13)


def test_memory_grows_with_lanes_not_with_points():
    few, many = (Batched(wide, block=block, lanes=4) for block in (64, 4096))
    for run in (few, many):
        run.compile({"x": X})
    assert many.bytes_used < few.bytes_used + 64 * 4096


def test_there_is_free_memory():
    assert free_memory(jax.local_devices()) > 1e6


PROGRAM = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
from qtn.sweeps.batch import Batched
draw = lambda p: jax.random.normal(jax.random.fold_in(jax.random.key(0), p["index"])) + 0 * jnp.sin(p["index"] * 1.0)
found = Batched(draw, block=10)({"index": np.arange(23)})
print(len(jax.devices()), found.tobytes().hex())
"""


@pytest.mark.multiproc
def test_draws_do_not_depend_on_devices():
    told = []
    for devices in (1, 3):
        flags = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=flags)
        told.append(done.stdout.split())
    assert [told[0][0], told[1][0]] == ["1", "3"]
    assert told[0][1] == told[1][1]


FEWER = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
from qtn.sweeps import batch
wide = lambda p: jnp.sum(jnp.sort(jnp.outer(jnp.linspace(0.0, 1.0, 300), p * jnp.ones(300)) ** 2, axis=0))
x = np.linspace(0.0, 1.0, 7)
free = batch.Batched(wide, block=7, lanes=1)
expected = free(x)
total = 2 * 2.5 * free.bytes_used  # room for two and a half, of which half may be used
batch.free_memory = lambda devices: total / len(devices)
tight = batch.Batched(wide, block=7, lanes=1)
np.testing.assert_allclose(tight(x), expected, rtol=1e-14)
np.testing.assert_allclose(tight(x[:3]), expected[:3], rtol=1e-14)
print(len(free.devices), len(tight.devices))
"""


@pytest.mark.multiproc
def test_devices_that_share_memory_are_left_out_where_it_is_short():
    flags = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=5"}
    done = subprocess.run([sys.executable, "-c", FEWER], capture_output=True, text=True, check=True, env=flags)
    assert done.stdout.split() == ["5", "2"]
