"""Products along a split train: equal to those in one place, on several devices and in several processes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from qtn.states import fidelity_to, ghz, to_mixed
from qtn.states.sharded import sharded_fidelity
from qtn.tensors.processes import connect
from qtn.tensors.sharded import sharded_product

PROGRAM = Path(__file__).with_name("sharded_program.py")


def step(rows, site, scale):
    return scale * rows @ site


def numpy_product(sites, start, scale):
    for site in sites:
        start = scale * start @ site
    return start


def test_a_product_is_that_of_numpy():
    random = np.random.default_rng(1)
    sites, start = random.normal(size=(6, 3, 3)), random.normal(size=(2, 3))
    found = sharded_product(step, jnp.asarray(sites), jnp.asarray(start), shared=jnp.asarray(0.7))
    np.testing.assert_allclose(found, numpy_product(sites, start, 0.7), rtol=1e-13)


def test_derivatives_agree_with_finite_differences():
    random = np.random.default_rng(2)
    sites, start = random.normal(size=(4, 2, 2)), random.normal(size=(1, 2))

    def total(sites, start, scale):
        return jnp.sum(sharded_product(step, jnp.asarray(sites), jnp.asarray(start), shared=jnp.asarray(scale)))

    arguments = (jnp.asarray(sites), jnp.asarray(start), jnp.asarray(0.9))
    check_grads(total, arguments, order=1, atol=1e-7, rtol=1e-7)


def test_fidelity_is_that_in_one_place():
    state = to_mixed(ghz(6))
    noisy = type(state)(train=state.train * jnp.array([1.0, 0.8, 0.7, 0.9])[None, None, :, None])
    np.testing.assert_allclose(sharded_fidelity(noisy, ghz(6)), fidelity_to(noisy, ghz(6)), rtol=1e-12)


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="`target` must have 4 sites, but has 6"):
        sharded_fidelity(to_mixed(ghz(4)), ghz(6))


def test_connecting_takes_all_or_nothing():
    with pytest.raises(ValueError, match="must be given together"):
        connect("localhost:1", 2)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(commands):
    """Run processes at the same time and return what each printed."""
    running = [
        subprocess.Popen([sys.executable, str(PROGRAM), *arguments], env=environment, stdout=-1, stderr=-1, text=True)
        for arguments, environment in commands
    ]
    outputs = [process.communicate(timeout=300) for process in running]
    assert all(process.returncode == 0 for process in running), outputs[0][1][-3000:]
    return [json.loads(output.splitlines()[-1]) for output, _ in outputs]


def environment(**more):
    paths = os.pathsep.join([str(PROGRAM.parents[2]), str(PROGRAM.parents[2] / "kernels")])
    return {**os.environ, "PYTHONPATH": paths, "JAX_PLATFORMS": "cpu", **more}


def check(outputs, devices):
    p = 0.001 * np.arange(64)
    product = np.prod(1 - 2 * p)
    slopes = {}
    assert f"must hold a multiple of {devices} sites" in outputs[0]["refused"]
    for each in outputs:
        assert (each["processes"], each["devices"]) == (2, devices)
        assert each["fidelity"] == pytest.approx((1 + product) / 2, rel=1e-12)  # closed form of a dephased GHZ state
        slopes |= {int(start): values for start, values in each["slopes"].items()}
    assert sorted(run for each in outputs for run in each["built"]) == [
        [k * 64 // devices, (k + 1) * 64 // devices] for k in range(devices)
    ]
    found = np.concatenate([slopes[start] for start in sorted(slopes)])
    np.testing.assert_allclose(found, -product / (1 - 2 * p), rtol=1e-11)


@pytest.mark.multiproc
def test_two_processes_share_a_train():
    address = f"localhost:{free_port()}"
    check(together([([address, "2", str(i)], environment()) for i in range(2)]), devices=2)


@pytest.mark.multiproc
@pytest.mark.slow
def test_two_processes_with_two_devices_each_start_as_under_slurm():
    port = free_port()
    slurm = dict(SLURM_JOB_ID="4711", SLURM_NTASKS="2", SLURM_STEP_NODELIST="localhost", SLURM_LOCALID="0")
    slurm |= dict(JAX_COORDINATOR_ADDRESS=f"localhost:{port}", XLA_FLAGS="--xla_force_host_platform_device_count=2")
    check(together([([], environment(**slurm, SLURM_PROCID=str(i))) for i in range(2)]), devices=4)
