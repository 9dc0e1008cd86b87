"""Every test computes in double precision, as the library demands; compiled programs are dropped in time.

They are kept on disk between runs, outside the tree, in one folder that the tests of the command line and all processes
that tests start share.
"""

import gc
import os
from pathlib import Path

import jax
import pytest

from qtn.cli.session import use_cache

jax.config.update("jax_enable_x64", True)
os.environ.setdefault("QTN_CACHE", str(Path.home() / ".cache" / "qtn" / "tests"))
use_cache()
gc.set_threshold(200_000, 50, 1_000)  # programs and their traces live long: looking for dead ones took 8 % of the time
os.environ["JAX_COMPILATION_CACHE_DIR"] = jax.config.jax_compilation_cache_dir or ""  # pyright: ignore
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

MAPPINGS = Path("/proc/self/maps")
MOST_MAPPINGS = 40_000
"""Every compiled program maps memory; Linux allows a process 65,530 mappings, and compiling beyond them crashes."""


@pytest.fixture(autouse=True, scope="module")
def _forget_compiled_programs():
    yield
    if MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()
