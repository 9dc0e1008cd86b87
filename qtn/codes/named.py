"""Codes that have names."""

from qtn.codes.stabiliser import StabiliserCode, stabiliser_code

PLAIN = StabiliserCode(generators=(), logical_x="X", logical_z="Z")
"""No code: one photon."""

FIVE_QUBIT = stabiliser_code(["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])
"""[[5,1,3]]: the smallest code that corrects any error of one photon (Laflamme et al. 1996, quant-ph/9602019)."""

STEANE = stabiliser_code(["IIIXXXX", "IXXIIXX", "XIXIXIX", "IIIZZZZ", "IZZIIZZ", "ZIZIZIZ"])
"""[[7,1,3]]: X and Z errors are corrected separately (Steane 1996, quant-ph/9601029)."""

SHOR = stabiliser_code(
    [
        "ZZIIIIIII", "IZZIIIIII", "IIIZZIIII", "IIIIZZIII", "IIIIIIZZI", "IIIIIIIZZ", "XXXXXXIII", "IIIXXXXXX",
    ]
)  # fmt: skip
"""[[9,1,3]] (Shor, Phys. Rev. A 52, R2493 (1995))."""
