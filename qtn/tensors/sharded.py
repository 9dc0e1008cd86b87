"""Ordered products along a train that is split over devices, or over the devices of many processes.

The sites are cut into runs of neighbours, one run a device. Each device multiplies the transfer matrices of its run,
all devices then exchange these products, which are as small as the bonds, and every device multiplies them in order:

    T1 T2 ... Tn = (T1 ... Tk) (Tk+1 ... T2k) ...        memory and work of a device: 1 / (number of devices)

Nothing of the length of the train is ever held in one place. Derivatives flow back the same way.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from qtn._array import Array

AXIS = "sites"
"""Name of the one axis of the mesh."""


def site_mesh(devices: Sequence[Any] | None = None) -> Mesh:
    """Return a mesh of one axis over devices; by default all devices of all processes."""
    return Mesh(np.array(jax.devices() if devices is None else devices), (AXIS,), axis_types=(AxisType.Auto,))


def shard_sites(local: Callable[[int, int], Any], num_sites: int, mesh: Mesh) -> Any:
    """Build arrays (n, ...) that are split over a mesh, every process only its own part.

    Args:
        local: (start, stop) -> pytree of arrays (stop - start, ...), the sites [start, stop).
        num_sites: n, a multiple of the number of devices.
        mesh: from `site_mesh`.

    Returns:
        pytree of global arrays (n, ...).

    Raises:
        ValueError: if `num_sites` does not divide.
    """
    share = _share(num_sites, mesh)
    sharding = NamedSharding(mesh, P(AXIS))
    own = [(i, device) for i, device in enumerate(mesh.devices.flat) if device.process_index == jax.process_index()]
    pieces = [
        jax.tree.map(lambda a, d=device: jax.device_put(a, d), local(i * share, (i + 1) * share)) for i, device in own
    ]
    return jax.tree.map(
        lambda *parts: jax.make_array_from_single_device_arrays(
            (num_sites, *parts[0].shape[1:]), sharding, list(parts)
        ),
        *pieces,
    )


def sharded_product(
    transfer: Callable[[Array, Any, Any], Array],
    sites: Any,
    start: Array,
    *,
    shared: Any = None,
    mesh: Mesh | None = None,
) -> Array:
    """Return start T1 T2 ... Tn, with the sites split over the devices of a mesh.

        T_k rows = transfer(rows, sites[k], shared)          linear in rows

    Args:
        transfer: (rows (r, *bond), one site, shared) -> rows (r, *bond): one step to the right, for r rows at once;
            pure. Its bonds have one shape along the whole train (pad them).
        sites: pytree of arrays (n, ...), n a multiple of the number of devices; see `shard_sites`. Arrays that lie in
            one place are split here.
        start: (r, *bond), rows at the left end.
        shared: pytree that every step takes, the same everywhere.
        mesh: from `site_mesh`; all devices by default.

    Returns:
        rows: (r, *bond), at the right end, the same on every device.

    Raises:
        ValueError: if n is no multiple of the number of devices.

    Note:
        Exact; differentiable in `sites`, `start` and `shared`. A device does up to D times the arithmetic of its share,
        with D the product of the bonds, because it carries a basis of rows: split what does not fit, not what is short.
        Every process must call it, with the same `start` and `shared`.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> turn = jnp.array([[0.0, 1.0], [-1.0, 0.0]])
        >>> one = sharded_product(lambda rows, site, _: rows @ site, jnp.stack([turn] * 4), jnp.eye(2))
        >>> one.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    mesh = site_mesh() if mesh is None else mesh
    _share(len(jax.tree.leaves(sites)[0]), mesh)
    return _product(transfer, mesh, sites, start, shared)


@partial(jax.jit, static_argnames=("transfer", "mesh"))
def _product(transfer: Any, mesh: Mesh, sites: Any, start: Array, shared: Any) -> Array:
    """Multiply locally, exchange, multiply."""
    bond = start.shape[1:]
    size = int(np.prod(bond))

    def local(part: Any, common: Any) -> Array:
        basis = jnp.eye(size, dtype=start.dtype).reshape(size, *bond)
        product, _ = lax.scan(jax.checkpoint(lambda rows, site: (transfer(rows, site, common), None)), basis, part)
        return product.reshape(1, size, size)

    # (devices, size, size): one product a device, small enough to be held everywhere
    products = jax.shard_map(local, mesh=mesh, in_specs=(P(AXIS), P()), out_specs=P(AXIS), check_vma=False)(
        sites, shared
    )
    products = lax.with_sharding_constraint(products, NamedSharding(mesh, P()))
    rows = lax.scan(lambda rows, matrix: (rows @ matrix, None), start.reshape(-1, size), products)[0]
    return rows.reshape(start.shape)


def _share(num_sites: int, mesh: Mesh) -> int:
    """Return the number of sites of one device."""
    if num_sites % mesh.size:
        raise ValueError(
            f"Argument `sites` must hold a multiple of {mesh.size} sites, one run for each device, but holds "
            f"{num_sites}. Use another number of devices, or pad the train with sites that are identities."
        )
    return num_sites // mesh.size
