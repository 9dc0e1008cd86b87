"""Start a computation: device, double precision, compilation cache, and one line that says so."""

import contextlib
import os
import sys
from pathlib import Path

from qtn import _text


def choose_device(device: str) -> None:
    """Tell JAX where to compute; without effect once it has computed anything.

    Raises:
        ValueError: if the device is unknown.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise ValueError(f"--device: must be auto, cpu or gpu, but is {_text.echoed(device)}")
    if device == "cpu":
        import jax

        jax.config.update("jax_platforms", "cpu")


def one_device_a_core() -> None:
    """Let JAX take every core that this process may use for a device of its own; without effect once it has computed.

    Points that are evaluated on different devices run at the same time, while one device on many cores splits single
    operations between them, which gains little. XLA_FLAGS and JAX_NUM_CPU_DEVICES have the last word.
    """
    if "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "") or "JAX_NUM_CPU_DEVICES" in os.environ:
        return
    import jax

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", cores)


def one_thread() -> None:
    """Decompose matrices on one thread, unless OPENBLAS_NUM_THREADS says another number or NumPy is loaded already.

    Threads of OpenBLAS wait for each other: where other processes need the cores too, matrices of 64 x 32 took 500 ms
    on two threads and 1.3 ms on one.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def start(device: str) -> None:
    """Set up JAX for this process and print one line on standard error.

    Raises:
        ValueError: if the device is absent.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    kind = jax.devices()[0].platform
    if device == "gpu" and kind != "gpu":
        raise ValueError(
            f"--device: a GPU was asked for, but JAX finds only {kind}; install `.[cuda12]` or `.[cuda13]`, or use "
            "--device auto"
        )
    cache = use_cache()
    names = ", ".join(sorted({found.device_kind for found in jax.devices()}))
    print(f"qtn: {len(jax.devices())} x {names}, double precision, {cache}", file=sys.stderr)


def use_cache() -> str:
    """Keep compiled programs between runs, if the folder can be written; return a phrase about it."""
    from importlib.metadata import version

    import jax

    base = os.environ.get("QTN_CACHE")
    try:
        folder = Path(base) if base else Path.home() / ".cache" / "qtn"
    except RuntimeError:
        return "no compilation cache (there is no home folder; set QTN_CACHE)"
    folder = folder / "xla" / f"{jax.__version__}-{version('jaxlib')}-{jax.default_backend()}"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        return f"no compilation cache ({folder} cannot be written)"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return f"cache {folder}"


def warn(sentences: list[str]) -> None:
    """Print warnings on standard error."""
    for sentence in sentences:
        print(_text.told(f"warning: {sentence}"), file=sys.stderr)
