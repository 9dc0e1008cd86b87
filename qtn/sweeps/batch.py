"""Run one function of scalars at many points, on all local devices, in memory that does not grow with the points.

Each device walks over its share of the points, `lanes` at a time (`vmap`), for exactly as many rounds as there are
points: the count is data, so one compiled program serves every number of points up to the block. Points are independent
and always meet the same program, so results do not depend on how many points are asked for at once.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh
from jax.sharding import PartitionSpec as P

CPU_LANES, GPU_LANES = 4, 64
"""Points side by side, where memory allows: on CPUs more gains nothing, on GPUs the device must be filled."""

MEMORY_SHARE = 0.5
"""Part of the free memory that a program may use."""


class Batched:
    """A function of a pytree of scalars, ready to be called with arrays of points.

    Note:
        Exact. Points with other shapes, types or static parts are compiled anew; numbers are not.

    Example:
        >>> square = Batched(lambda point: {"y": point["x"] ** 2}, block=100)
        >>> square({"x": np.array([1.0, 2.0, 3.0])})["y"].tolist()
        [1.0, 4.0, 9.0]
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        *,
        block: int,
        devices: Sequence[Any] | None = None,
        lanes: int | None = None,
        memory: float | None = None,
    ) -> None:
        """Prepare a function.

        Args:
            function: pytree of scalars -> pytree of arrays; pure.
            block: largest number of points of one call; more are computed block by block.
            devices: where; all local devices by default. Where they share memory that does not hold one point on each,
                fewer are used.
            lanes: points side by side on each device; chosen by default.
            memory: bytes a device may use; by default half of what is free.
        """
        self.function, self.block = function, max(block, 1)
        self.devices = list(jax.local_devices() if devices is None else devices)
        self.mesh = _mesh(self.devices)
        share = -(-self.block // len(self.devices))
        usual = CPU_LANES if self.devices[0].platform == "cpu" else GPU_LANES
        self.lanes = min(usual if lanes is None else lanes, share)
        self.memory = free_memory(self.devices) * MEMORY_SHARE if memory is None else memory
        self.shared = memory is None and self.devices[0].platform == "cpu"
        """Whether fewer devices have more memory each."""
        self.bytes_used = 0
        """Working memory on each device of the largest program so far, as the compiler says."""
        self._programs: dict[Any, tuple[Any, int, int]] = {}

    def __call__(self, points: Any) -> Any:
        """Return the outputs (n, ...) at points, a pytree of arrays (n, ...)."""
        leaves = jax.tree.leaves(points)
        count = len(leaves[0])
        parts = []
        for start in range(0, count, self.block):
            parts.append(self._call(jax.tree.map(lambda a, s=start: np.asarray(a[s : s + self.block]), points)))
        return parts[0] if len(parts) == 1 else jax.tree.map(lambda *a: np.concatenate(a), *parts)

    def compile(self, points: Any) -> tuple[Any, int, int]:
        """Return (program, rows of a device, lanes) for points of this structure; compiled once."""
        leaves, structure = jax.tree.flatten(points)
        key = structure, tuple((a.shape[1:], a.dtype) for a in leaves)
        if key not in self._programs:
            self._programs[key] = self._compile(points, self.lanes)
        return self._programs[key]

    def _compile(self, points: Any, lanes: int) -> tuple[Any, int, int]:
        while True:
            share = -(-self.block // len(self.devices))
            rows = -(-share // lanes) * lanes
            size = len(self.devices) * rows
            shapes = jax.tree.map(lambda a, n=size: jax.ShapeDtypeStruct((n, *a.shape[1:]), a.dtype), points)
            counts = jax.ShapeDtypeStruct((len(self.devices),), np.int32)
            program = jax.jit(_program(self.function, self.mesh, rows, lanes)).lower(counts, shapes).compile()
            used = _bytes(program)
            if lanes == 1 and used > self.memory and self.shared and len(self.devices) > 1:
                self._use_fewer(used)
                continue
            if lanes == 1 or used <= self.memory:
                self.bytes_used = max(self.bytes_used, used)
                return program, rows, lanes
            lanes = max(1, min(lanes // 2, 2 ** int(np.log2(max(lanes * self.memory / used, 1)))))

    def _use_fewer(self, used: int) -> None:
        """Leave out devices until each has room for a program that needs so many bytes, if possible."""
        total = self.memory * len(self.devices)
        self.devices = self.devices[: max(1, min(len(self.devices) // 2, int(total // used)))]
        self.mesh, self.memory = _mesh(self.devices), total / len(self.devices)
        self._programs.clear()

    def _call(self, points: Any) -> Any:
        program, rows, lanes = self.compile(points)
        count, devices = len(jax.tree.leaves(points)[0]), len(self.devices)
        share = -(-count // devices)
        place = np.arange(devices)[:, None] * share + np.minimum(np.arange(rows), share - 1)
        take = np.minimum(place, count - 1).ravel()  # rows past the end repeat a point
        rounds = np.clip(count - np.arange(devices) * share, 0, share)
        counts = (-(-rounds // lanes)).astype(np.int32)
        found = program(counts, jax.tree.map(lambda a: a[take], points))
        point = np.arange(count)
        back = point // share * rows + point % share
        return jax.tree.map(lambda a: np.asarray(a)[back], found)


def _mesh(devices: Sequence[Any]) -> Mesh:
    """Return the mesh of one axis over these devices."""
    return Mesh(np.array(devices), ("points",), axis_types=(AxisType.Auto,))


def _program(function: Callable[[Any], Any], mesh: Mesh, rows: int, lanes: int) -> Callable[[Any, Any], Any]:
    """Return (rounds of each device, points) -> outputs, each device on its own rows."""

    def on_device(rounds: Any, points: Any) -> Any:
        one = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), points)
        outputs = jax.tree.map(lambda s: jnp.zeros((rows, *s.shape), s.dtype), jax.eval_shape(function, one))

        def body(i: Any, outputs: Any) -> Any:
            some = jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, i * lanes, lanes), points)
            found = jax.vmap(function)(some)
            return jax.tree.map(lambda o, f: lax.dynamic_update_slice_in_dim(o, f, i * lanes, 0), outputs, found)

        return lax.fori_loop(0, rounds[0], body, outputs)

    return jax.shard_map(on_device, mesh=mesh, in_specs=P("points"), out_specs=P("points"), check_vma=False)


def _bytes(program: Any) -> int:
    """Return the working memory of a compiled program on each device [bytes]; 0 where the compiler does not say."""
    found = program.memory_analysis()
    if found is None:
        return 0
    return int(found.temp_size_in_bytes + found.argument_size_in_bytes + found.output_size_in_bytes)


def free_memory(devices: Sequence[Any]) -> float:
    """Return the free memory of each device [bytes]; devices that are CPUs share that of the machine."""
    told = devices[0].memory_stats() if devices[0].platform != "cpu" else None
    if told and "bytes_limit" in told:
        return float(min(d.memory_stats()["bytes_limit"] - d.memory_stats()["bytes_in_use"] for d in devices))
    return _free_on_host() / len(devices)


def _free_on_host() -> float:
    """Return the memory that this machine can still give [bytes]."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            told = {line.split(":")[0]: line.split()[1] for line in lines}
        return 1024.0 * float(told["MemAvailable"])
    except (OSError, KeyError, IndexError, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) / 2
    except (OSError, ValueError, AttributeError):
        return 2.0**31
