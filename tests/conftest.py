"""Every test computes in double precision, as the library demands; compiled programs are dropped in time."""

import gc
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)

MAPPINGS = Path("/proc/self/maps")
MOST_MAPPINGS = 25_000
"""Every compiled program maps memory; Linux allows a process 65,530 mappings, and compiling beyond them crashes."""


@pytest.fixture(autouse=True, scope="module")
def _forget_compiled_programs():
    yield
    if MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()
