"""Distillation protocols as data: a local Clifford circuit, the pairs it consumes, and which readouts are accepted.

Every node runs the same circuit on its halves of n pairs, the right node its complex conjugate, so that on perfect
pairs all readouts coincide (U x U* |Phi+>^n = |Phi+>^n). Qubit 0 belongs to the pair that is kept; the others are
measured in Z at the end. Gates are words: "h 0", "s 1", "sx 0" (a rotation by pi/2 about X), "cx 0 1", "cz 0 1".
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DistillationProtocol:
    """One n-to-1 protocol; static and hashable, so that schedules can hold it.

    Example:
        >>> DEJMPS.num_pairs, EPL.coincidence
        (2, False)
    """

    name: str

    circuit: tuple[str, ...]
    """Gates of the left node in order; every two-qubit gate is noisy."""

    num_pairs: int = 2
    """n: one pair is kept, n - 1 are measured."""

    accepted: tuple[tuple[int, ...], ...] | None = None
    """Readouts (n - 1 bits) that both nodes must find; None = any, as long as they coincide."""

    twirled: bool = False
    """Whether the output is twirled to a Werner state (<XX>, -<YY>, <ZZ> averaged, all else dropped)."""

    @property
    def coincidence(self) -> bool:
        """Whether every coincidence of the readouts is accepted."""
        return self.accepted is None


DEJMPS = DistillationProtocol("dejmps", ("sx 0", "sx 1", "cx 0 1"))
"""Deutsch et al., Phys. Rev. Lett. 77, 2818 (1996), arXiv:quant-ph/9604039."""

BBPSSW = DistillationProtocol("bbpssw", ("cx 0 1",), twirled=True)
"""Bennett et al., Phys. Rev. Lett. 76, 722 (1996), arXiv:quant-ph/9511027: bilateral CNOT, then the twirl."""

CNOT = DistillationProtocol("cnot", ("cx 0 1",))
"""The same without the twirl: detects bit flips."""

EPL = DistillationProtocol("epl", ("cx 0 1",), accepted=((1,),))
"""Extreme photon loss: bilateral CNOT, accepted where both find 1 (Campbell and Benjamin, Phys. Rev. Lett. 101, 130502
(2008), arXiv:0710.4352; Rozpedek et al., Phys. Rev. A 97, 062333 (2018), arXiv:1803.10111)."""

DOUBLE_SELECTION = DistillationProtocol("double_selection", ("cx 0 1", "cx 2 1", "h 2"), num_pairs=3)
"""Fujii and Yamamoto, Phys. Rev. A 80, 042308 (2009), arXiv:0811.2639: the second check also checks the first."""

CODE_3 = DistillationProtocol("code3", ("cx 1 2", "sx 1", "cx 0 1"), num_pairs=3)
"""Error detection by a [[3, 1]] code: the best 3-to-1 bilocal Clifford protocol on equal Werner pairs."""

CODE_4 = DistillationProtocol(
    "code4", ("h 1", "cx 3 1", "sx 2", "cx 1 2", "h 1", "cx 0 1", "sx 0", "sx 3", "cx 0 3"), num_pairs=4
)
"""Error detection by a [[4, 1, 2]] code: the best 4-to-1 protocol on equal Werner pairs."""

# fmt: off
CODE_5 = DistillationProtocol(
    "code5",
    (
        "h 0", "cx 1 0", "s 3", "cx 0 3", "cx 4 3", "sx 0", "h 2", "cx 0 2", "h 1", "sx 0", "cx 1 0", "sx 4", "cx 4 1",
        "h 4", "cx 1 4",
    ),
    num_pairs=5,
)
# fmt: on
"""Error detection by the five-qubit code: the best 5-to-1 protocol on equal Werner pairs (Jansen, Goodenough et al.,
Quantum 6, 715 (2022), arXiv:2103.03669, enumerate such protocols)."""
