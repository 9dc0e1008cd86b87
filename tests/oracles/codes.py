"""Codes by enumeration: every pattern of lost photons and Pauli errors, decoded one by one.

A pattern holds for each photon one of I, X, Y, Z or L (lost). Nothing here uses a formula of the library.
"""

import itertools

import numpy as np

FLIPS_Z, FLIPS_X = "XY", "ZY"  # what disturbs a reading in Z, in X
CHARACTERS = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])


def patterns(num_photons, loss, pauli):
    """Yield (pattern, probability) of everything that can happen to the photons."""
    chances = dict(zip("IXYZ", np.asarray(pauli) * (1 - loss), strict=True)) | {"L": loss}
    letters = [each for each, chance in chances.items() if chance > 0]
    for pattern in itertools.product(letters, repeat=num_photons):
        yield pattern, np.prod([chances[each] for each in pattern])


def logical_channel(decode, num_photons, loss, pauli):
    """Return success probability and logical channel of a decoder.

    Args:
        decode: pattern -> mean signs (x, y, z) of the logical operators, or None where it fails.
    """
    total = np.zeros(4)
    for pattern, chance in patterns(num_photons, loss, pauli):
        signs = decode(pattern)
        if signs is not None:
            total += chance * np.array([1.0, *signs])
    return total[0], CHARACTERS @ total / 4 / total[0]


def majority(signs):
    return float(np.sign(sum(signs)))


def tree(branching):
    """Return the children of each photon; photon 0 is the root, the others are numbered level by level."""
    children, level = {0: []}, [0]
    for count in branching:
        below = []
        for parent in level:
            children[parent] = list(range(len(children), len(children) + count))
            children |= {child: [] for child in children[parent]}
            below += children[parent]
        level = below
    return children


def sign(letter, flips):
    return -1.0 if letter in flips else 1.0


def read_z(photon, children, pattern):
    """Return the mean sign of a reading of Z; None = none.

    Of a lost photon the majority of indirect readings counts, of another its own unless two more disagree than agree.
    """
    if pattern[photon] == "L":
        return read_indirectly(photon, children, pattern)
    own, means = sign(pattern[photon], FLIPS_Z), indirect_readings(photon, children, pattern)
    return mean_of(means, lambda signs: own if sum(signs) * own > -2 else -own)


def read_indirectly(photon, children, pattern):
    found = indirect_readings(photon, children, pattern)
    return mean_of(found, majority) if found else None


def indirect_readings(photon, children, pattern):
    """Return the mean signs of all readings through children that are there."""
    found = []
    for child in children[photon]:
        below = [read_z(each, children, pattern) for each in children[child]]
        if pattern[child] != "L" and None not in below:
            found.append(sign(pattern[child], FLIPS_X) * np.prod(below))
    return found


def mean_of(means, decide):
    """Return the mean sign of a decision on independent readings whose mean signs are given: +-1, or coins."""
    total = 0.0
    for signs in itertools.product((1, -1), repeat=len(means)):
        total += np.prod([(1 + s * m) / 2 for s, m in zip(signs, means, strict=True)]) * decide(signs)
    return total


def tree_decoder(branching, adaptive):
    children = tree(branching)

    def decode(pattern):
        letters = ("L", *pattern)
        first = children[0]

        def carries(photon):
            return all(read_z(each, children, letters) is not None for each in children[photon])

        able = [each for each in first if letters[each] != "L" and (carries(each) or not adaptive)]
        if not able or not carries(able[0]):
            return None
        chosen = able[0]
        others = [read_z(each, children, letters) for each in first if each != chosen]
        if None in others:
            return None
        rest, below = np.prod(others), np.prod([read_z(each, children, letters) for each in children[chosen]])
        letter = letters[chosen]
        return (sign(letter, "XY") * rest, sign(letter, "XZ") * rest * below, sign(letter, "ZY") * below)

    return decode


def tree_reader(branching, basis):
    """Return the reader of an encoded inner photon of a repeater graph state in X or Z, as a decoder of one sign."""
    children = tree(branching)

    def decode(pattern):
        letters = ("L", *pattern)
        if basis == "X":
            found = read_indirectly(0, children, letters)
        else:
            each = [read_z(photon, children, letters) for photon in children[0]]
            found = None if None in each else np.prod(each)
        return None if found is None else (found, 1.0, 1.0)

    return decode


def parity_decoder(num_blocks, block_size):
    def decode(pattern):
        blocks = [pattern[i * block_size : (i + 1) * block_size] for i in range(num_blocks)]
        left = [[letter for letter in block if letter != "L"] for block in blocks]
        complete = [block for block in left if len(block) == block_size]
        if not complete or not all(left):
            return None
        z = np.prod([majority([sign(letter, FLIPS_Z) for letter in block]) for block in left])
        x = majority([np.prod([sign(letter, FLIPS_X) for letter in block]) for block in complete])
        return x, x * z, z

    return decode


def rank(rows):
    """Return the rank over two elements."""
    rows, found = np.array(rows, dtype=int) % 2, 0
    for column in range(rows.shape[1] if rows.size else 0):
        pivots = np.flatnonzero(rows[found:, column])
        if pivots.size:
            rows[[found, found + pivots[0]]] = rows[[found + pivots[0], found]]
            others = [i for i in np.flatnonzero(rows[:, column]) if i != found]
            rows[others] ^= rows[found]
            found += 1
            if found == len(rows):
                break
    return found


def bits(string):
    return np.array([[letter in "XY" for letter in string], [letter in "ZY" for letter in string]], dtype=int)


def is_correctable(generators, lost):
    """Whether no logical operator acts on the lost photons alone: as many operators there commute as are stabilisers."""
    matrix = np.array([bits(each) for each in generators])  # g 2 n
    num_qubits = matrix.shape[2]
    kept = [i for i in range(num_qubits) if i not in lost]
    commuting = 2 * len(lost) - rank(matrix[:, :, list(lost)].reshape(len(generators), -1))
    trivial = len(generators) - rank(matrix[:, :, kept].reshape(len(generators), -1))
    return commuting == trivial


def optimal_p_success(generators, loss):
    """Return the probability that lost photons can be undone by any decoder."""
    num_qubits = len(generators[0])
    return sum(
        loss**count * (1 - loss) ** (num_qubits - count)
        for count in range(num_qubits + 1)
        for lost in itertools.combinations(range(num_qubits), count)
        if is_correctable(generators, lost)
    )


def tree_generators(branching):
    """Return generators of a tree code: of the graph state without its root, those that keep the encoded qubit."""
    children = tree(branching)
    count = len(children) - 1

    def star(photon):
        letters = ["I"] * (count + 1)
        letters[photon] = "X"
        for other in children[photon] + [each for each in children if photon in children[each]]:
            letters[other] = "Z"
        return letters[1:]

    def times(first, second):
        return [
            "I" if a == b else a if b == "I" else b if a == "I" else "Y" for a, b in zip(first, second, strict=True)
        ]

    first = children[0]
    pairs = [times(star(first[0]), star(other)) for other in first[1:]]
    deeper = [star(photon) for photon in range(1, count + 1) if photon not in first]
    return ["".join(each) for each in pairs + deeper]


def maximum_likelihood(generators, logical_x, logical_z, loss, pauli):
    """Return success probability and logical channel; every error and loss with its whole syndrome, ties shared."""
    num_qubits = len(logical_x)
    letters = np.array(list(itertools.product(range(4), repeat=num_qubits)))  # I, X, Y, Z
    x, z = np.isin(letters, (1, 2)).astype(int), np.isin(letters, (2, 3)).astype(int)

    def flips(string):
        own = bits(string)
        return (x @ own[1] + z @ own[0]) % 2

    syndrome = sum((flips(each) << i for i, each in enumerate(generators)), np.zeros(len(letters), dtype=int))
    logical = np.array([0, 3, 1, 2])[flips(logical_x) + 2 * flips(logical_z)]
    total = np.zeros(4)
    for count in range(num_qubits + 1):
        for lost in itertools.combinations(range(num_qubits), count):
            if not is_correctable(generators, lost):
                continue
            chances = np.asarray(pauli)[letters]
            chances[:, list(lost)] = 0.25
            table = np.zeros((2 ** len(generators), 4))
            np.add.at(table, (syndrome, logical), chances.prod(axis=1))
            weight = loss**count * (1 - loss) ** (num_qubits - count)
            total += weight * decided(table)
    return total.sum(), total / total.sum()


def decided(table):
    """Return the logical errors that are left where the most likely one of each syndrome (s, 4) is undone."""
    product = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    best = table >= (1 - 1e-12) * table.max(axis=1, keepdims=True)
    share = best / best.sum(axis=1, keepdims=True)
    return sum((share[:, undone, None] * table[:, product[undone]]).sum(axis=0) for undone in range(4))


def graph_state_characters(num_arms, pauli):
    """Return how inner photons with errors, all entangled with each other, keep the correlations of two arms.

    Photons 0 and 1 are read in X and have the arms that are connected; all others are read in Z.
    """
    inner = 2 * num_arms
    count = inner + 2  # the two arms are last
    edges = [*itertools.combinations(range(inner), 2), (0, inner), (1, inner + 1)]
    kept = []
    for chosen in itertools.product((0, 1), repeat=count):
        x = np.array(chosen)
        z = np.zeros(count, dtype=int)
        for a, b in edges:
            z[a] ^= x[b]
            z[b] ^= x[a]
        fits = not (z[:2].any() or x[2:inner].any())
        if fits:
            kept.append((x, z))
    outside = {(tuple(x[inner:]), tuple(z[inner:])): (x[:inner], z[:inner]) for x, z in kept}
    correlations = [outside[key] for key in (((1, 0), (0, 1)), ((0, 1), (1, 0)), ((1, 1), (1, 1)))]
    totals = np.zeros(3)
    for error in itertools.product(range(4), repeat=inner):
        chance = np.prod(np.asarray(pauli)[list(error)])
        flips_x, flips_z = np.isin(error, (1, 2)), np.isin(error, (2, 3))
        totals += chance * np.array(
            [(-1.0) ** ((flips_x & (z == 1)).sum() + (flips_z & (x == 1)).sum()) for x, z in correlations]
        )
    return totals
