"""Matrices of the gates of qelib1.inc and stdgates.inc, written from their definitions."""

import numpy as np

from tests.oracles.circuits import PAULIS

ONE, X, Y, Z = PAULIS
H = (X + Z) / np.sqrt(2)


def phase(angle):
    return np.diag([1, np.exp(1j * angle)])


def spin(pauli, angle):
    return np.cos(angle / 2) * np.eye(len(pauli)) - 1j * np.sin(angle / 2) * pauli


def u(theta, phi, lam):
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])


def control(matrix, value=1):
    size = len(matrix)
    full = np.eye(2 * size, dtype=complex)
    start = size * value
    full[start : start + size, start : start + size] = matrix
    return full


def power(matrix, exponent):
    values, vectors = np.linalg.eig(matrix)
    return vectors @ np.diag(values.astype(complex) ** exponent) @ np.linalg.inv(vectors)


SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
SWAP = np.eye(4)[[0, 2, 1, 3]]
ISWAP = np.diag([1, 1j, 1j, 1])[[0, 2, 1, 3]]
RCCX = np.diag([1, 1, 1, 1, 1, -1, 1, 1]).astype(complex)
RCCX[6:, 6:] = [[0, -1j], [1j, 0]]
