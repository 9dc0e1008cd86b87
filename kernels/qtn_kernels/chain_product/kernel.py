"""The kernel of `chain_product`: one chain a thread, products in registers, matrices built from parameters on the way.

Forward, each parameter is read once and each product written once. For the reverse pass the product is stored at the
start of every group of links; the reverse kernel multiplies a group again into a scratch array of one group and walks
it back. Sums and products are in the type of the parameters.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from qtn_kernels import _launch
from qtn_kernels.chain_product.config import Config, group_size
from qtn_kernels.chain_product.entries import Build, Rows, filled, identity, multiply, pattern, varying
from qtn_kernels.chain_product.reference import Parameters, Product, assemble

CONFIG = Config()


def _loop(count: int, body: Callable[[Array, Any], Any], carry: Any) -> Any:
    """Run a loop with 32-bit indices."""
    return lax.fori_loop(jnp.int32(0), jnp.int32(count), body, carry)


class _Lanes:
    """What one program of either kernel knows: its lanes and how to take one step."""

    def __init__(self, build: Build, known: Rows, shape: tuple[int, ...], dtype: Any, config: Config) -> None:
        self.build, self.known, self.dtype, self.config = build, known, dtype, config
        self.num_links, self.num_parameters, self.num_chains = shape
        self.size = group_size(self.num_links)
        start = _launch.program_index() * config.lanes
        self.lanes = (start, config.lanes)
        self.mask = start + jnp.arange(config.lanes, dtype=jnp.int32) < self.num_chains

    def read(self, ref: Any, number: int, *index: Any) -> list[Array]:
        """Return the rows 0..number-1 at an index, one array of lanes each."""
        return [_launch.load(ref, (*index, row, self.lanes), self.mask) for row in range(number)]

    def write(self, ref: Any, values: Sequence[Array], *index: Any) -> None:
        """Write rows at an index."""
        for row, value in enumerate(values):
            _launch.store(ref, (*index, row, self.lanes), value, self.mask)

    def step(self, entries: list[Array], parameters: list[Array]) -> list[Array]:
        """Multiply by the matrix of one link."""
        product = varying(multiply(filled(entries, self.known), self.build(*parameters)), self.known)
        return [jnp.broadcast_to(jnp.asarray(each, self.dtype), self.mask.shape) for each in product]

    def start(self) -> list[Array]:
        """Return the entries of the identity."""
        entries = varying(identity(len(self.known)), self.known)
        return [jnp.full(self.mask.shape, each, self.dtype) for each in entries]

    def over_groups(self, body: Callable[[Array, int, Any], Any], carry: Any) -> Any:
        """Run body(group, its number of links, carry) over all groups, the shorter one last."""
        full, left = divmod(self.num_links, self.size)
        carry = _loop(full, lambda group, carry: body(group, self.size, carry), carry)
        return body(jnp.int32(full), left, carry) if left else carry

    def back_over_groups(self, body: Callable[[Array, int, Any], Any], carry: Any) -> Any:
        """Run the same groups in the opposite order."""
        full, left = divmod(self.num_links, self.size)
        carry = body(jnp.int32(full), left, carry) if left else carry
        return _loop(full, lambda done, carry: body(full - 1 - done, self.size, carry), carry)


def _forward(lanes: Callable[[], _Lanes], parameters: Any, product: Any, kept: Any = None) -> None:
    """Multiply all links; store the product at the start of each group where `kept` is given."""
    here = lanes()

    def group(number: Array, count: int, entries: list[Array]) -> list[Array]:
        if kept is not None:
            here.write(kept, entries, number)

        def link(index: Array, entries: list[Array]) -> list[Array]:
            return here.step(entries, here.read(parameters, here.num_parameters, number * here.size + index))

        return _loop(count, link, entries)

    here.write(product, here.over_groups(group, here.start()))


def _backward(
    lanes: Callable[[], _Lanes], parameters: Any, kept: Any, cotangent: Any, gradient: Any, scratch: Any
) -> None:
    """Carry the cotangent of the product back through all links."""
    here = lanes()
    num_entries = cotangent.shape[0]

    def group(number: Array, count: int, cotangents: list[Array]) -> list[Array]:
        def at(index: Array) -> list[Array]:
            return here.read(parameters, here.num_parameters, number * here.size + index)

        def again(index: Array, entries: list[Array]) -> list[Array]:
            here.write(scratch, entries, index)
            return here.step(entries, at(index))

        def back(done: Array, cotangents: list[Array]) -> list[Array]:
            index = count - 1 - done
            _, pull = jax.vjp(here.step, here.read(scratch, num_entries, index), at(index))
            cotangents, slopes = pull(cotangents)
            here.write(gradient, slopes, number * here.size + index)
            return cotangents

        _loop(count, again, here.read(kept, num_entries, number))
        return _loop(count, back, cotangents)

    here.back_over_groups(group, here.read(cotangent, num_entries))


def _run(
    build: Build, kernel: Any, out: Sequence[tuple[int, ...]], *arrays: Array, interpret: bool
) -> tuple[Array, ...]:
    """Launch one of the kernels; `arrays` begin with the parameters, `out` holds shapes without the chains."""
    parameters = arrays[0]
    shape, num_chains = parameters.shape, parameters.shape[2]
    lanes = partial(_Lanes, build, pattern(build, shape[1]), shape, parameters.dtype, CONFIG)
    shapes = [jax.ShapeDtypeStruct((*each, num_chains), parameters.dtype) for each in out]
    programs = -(-num_chains // CONFIG.lanes)
    body = partial(kernel, lanes)
    return _launch.launch(body, shapes, *arrays, programs=programs, warps=CONFIG.warps, interpret=interpret)


@partial(jax.custom_vjp, nondiff_argnums=(0, 2))
def in_order(build: Build, parameters: Parameters, interpret: bool) -> Product:
    """Return the products of all chains by the kernel, see `chain_product`."""
    known = pattern(build, parameters.shape[1])
    num_entries = len(varying(known, known))

    def forward(parameters: Array) -> tuple[Array, ...]:
        return _run(build, _forward, [(num_entries,)], parameters, interpret=interpret)

    (entries,) = _launch.batched_over_lanes(forward)(parameters)
    return assemble(list(entries), known, parameters[0, 0])


def _saved(build: Build, parameters: Parameters, interpret: bool) -> tuple[Product, tuple[Array, Array]]:
    num_links, num_parameters, _ = parameters.shape
    known = pattern(build, num_parameters)
    num_entries, num_groups = len(varying(known, known)), -(-num_links // group_size(num_links))

    def forward(parameters: Array) -> tuple[Array, ...]:
        out = [(num_entries,), (num_groups, num_entries)]
        return _run(build, _forward, out, parameters, interpret=interpret)

    entries, kept = _launch.batched_over_lanes(forward)(parameters)
    return assemble(list(entries), known, parameters[0, 0]), (parameters, kept)


def _pulled(build: Build, interpret: bool, saved: tuple[Array, Array], cotangent: Product) -> tuple[Parameters]:
    parameters, kept = saved
    num_links, num_parameters, _ = parameters.shape
    known = pattern(build, num_parameters)

    def backward(parameters: Array, kept: Array, cotangent: Array) -> tuple[Array, ...]:
        out = [(num_links, num_parameters), (group_size(num_links), kept.shape[1])]
        return _run(build, _backward, out, parameters, kept, cotangent, interpret=interpret)[:1]

    flat = jnp.stack(varying([list(row) for row in cotangent], known))
    (gradient,) = _launch.batched_over_lanes(backward)(parameters, kept, flat)
    return (gradient,)


in_order.defvjp(_saved, _pulled)
