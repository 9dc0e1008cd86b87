"""Ordered products by loops over density matrices and matrices, NumPy alone."""

import numpy as np

PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def _mixture(rho, weights):
    return sum(w * p @ rho @ p for w, p in zip(weights, PAULIS, strict=True))


def noisy_rotation(p, q, g, x=0.0, y=0.0, z=0.0):
    """Return the transfer matrix of a rotation, depolarising, dephasing and damping from their Kraus operators."""
    turn = PAULIS[0] - 1j * (x * PAULIS[1] + y * PAULIS[2] + z * PAULIS[3])
    turn = turn / np.sqrt(1 + x * x + y * y + z * z)
    decay = np.array([[[1, 0], [0, np.sqrt(1 - g)]], [[0, np.sqrt(g)], [0, 0]]])

    def after(rho):
        rho = turn @ rho @ turn.conj().T
        rho = _mixture(rho, (1 - 3 * p / 4, p / 4, p / 4, p / 4))
        rho = _mixture(rho, (1 - q, 0, 0, q))
        return sum(k @ rho @ k.conj().T for k in decay)

    return np.array([[np.trace(a @ after(b)).real / 2 for b in PAULIS] for a in PAULIS])


def dense(*entries):
    """Return a square matrix from its entries in reading order."""
    size = round(len(entries) ** 0.5)
    return np.reshape(entries, (size, size))


def chain_product(matrix, parameters):
    """Return the product of `matrix(*parameters[i, :, c])` over links i in order, (d, d, chains)."""
    links, _, chains = parameters.shape
    products = []
    for c in range(chains):
        product = matrix(*parameters[0, :, c])
        for i in range(1, links):
            product = product @ matrix(*parameters[i, :, c])
        products.append(product)
    return np.moveaxis(np.array(products), 0, -1)
