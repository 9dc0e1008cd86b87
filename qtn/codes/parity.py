"""Quantum parity codes: blocks of photons that are entangled in one basis, the blocks themselves in the other."""

from typing import Any

from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import real
from qtn._pytree import pytree, static
from qtn.codes.logical import Logical, decoded, noise, require_photons, require_readings, signs, unharmed, vote, whole


@pytree
class ParityCode:
    """A qubit in n blocks of m photons, |+-> -> [(|0..0> +- |1..1>)/sqrt 2]^n.

    Logical Z is Z on one photon of every block, logical X is X on all photons of one block. It is there if every block
    has a photon left and one block is complete:

        p = [1 - mu^m]^n - [1 - mu^m - (1-mu)^m]^n

    In a block the majority of its photons decides on Z, among complete blocks the majority on X, a coin deciding ties.

    Note:
        The success probability is that of optimal decoding; the Pauli channel is exact for these majorities, which are
        the most likely choice where X and Z errors are independent. Differentiable in loss and errors.

    References:
        Ralph, Hayes, Gilchrist, Phys. Rev. Lett. 95, 100501 (2005), arXiv:quant-ph/0501184;
        Muralidharan et al., Phys. Rev. Lett. 112, 250501 (2014), arXiv:1310.5291.
    """

    num_blocks: int = static()
    """n."""

    block_size: int = static()
    """m, photons of a block."""

    @property
    def num_photons(self) -> int:
        """Photons of one code word."""
        return self.num_blocks * self.block_size

    def logical(self, loss: Any = 0.0, pauli: Any = None) -> Logical:
        """Return what decoding leaves.

        Args:
            loss: mu, in [0, 1].
            pauli: (4,), probabilities of I, X, Y, Z on a photon that arrives; None = no error, also for derivatives.
        """
        lost, errors = noise(loss, pauli)
        if errors is None:
            return unharmed(parity_success(self.num_blocks, self.block_size, lost))
        return decoded(parity_characters(self, lost, errors))

    def generation_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return n m emission_time + (n - 1) gate_time [s]: a gate joins each further block to those before.

        This count is ours: one block after the other, its photons entangled as they are emitted.
        """
        return real(parity_time(self.num_blocks, self.block_size, emission_time, gate_time))


def parity_code(num_blocks: Any, block_size: Any) -> ParityCode:
    """Build a quantum parity code of `num_blocks` = n blocks of `block_size` = m photons, also called QPC(n, m).

    Raises:
        ValueError: if a number is not a whole one from 1 to 500, or there are too many photons.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{parity_code(2, 2).logical(loss=0.1).p_success:.4f}")
        0.9477
    """
    code = ParityCode(num_blocks=whole("num_blocks", num_blocks), block_size=whole("block_size", block_size))
    require_readings("num_blocks", code.num_blocks)
    require_readings("block_size", code.block_size)
    require_photons(code.num_photons)
    return code


def parity_success(num_blocks: Any, block_size: Any, loss: Any) -> Any:
    """Return the success probability of a parity code, or of many at once; see `ParityCode`."""
    left = 1 - loss**block_size
    return left**num_blocks - (left - (1 - loss) ** block_size) ** num_blocks


def parity_time(num_blocks: Any, block_size: Any, emission_time: Any, gate_time: Any) -> Any:
    """Return the generation time [s] of a parity code, or of many at once; see `ParityCode`."""
    return num_blocks * block_size * emission_time + (num_blocks - 1) * gate_time


def parity_characters(code: ParityCode, loss: Float[Array, ""], pauli: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return the unnormalised characters of the logical channel: p, and p times the mean signs of X, Y, Z."""
    n, m = code.num_blocks, code.block_size
    complete, left = (1 - loss) ** m, 1 - loss**m
    flipped = pauli[1] + pauli[2]
    bit = vote(m, 1 - flipped, flipped, 0.0 * loss)
    phase = signs(pauli)[1] ** m
    both = vote(m, pauli[0] - pauli[3], pauli[1] - pauli[2], 0.0 * loss)
    any_bit = vote(m, (1 - loss) * (1 - flipped), (1 - loss) * flipped, loss)
    partial, partial_signed = left - complete, any_bit - complete * bit

    def voted(even: Any, odd: Any, missing: Any) -> Any:
        return vote(n, complete * (even + odd) / 2, complete * (even - odd) / 2, missing)

    rows = [
        parity_success(n, m, loss),
        voted(1.0, phase, partial),
        voted(bit, both, partial_signed),
        any_bit**n - partial_signed**n,
    ]
    return library(loss, pauli).stack(rows)
