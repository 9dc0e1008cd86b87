"""Networks of any geometry, three ways: dense density matrices, Pauli strings backwards, messages on a tree. NumPy only."""

import numpy as np

from tests.oracles.density import CNOT, PAULIS, H, X, Z, coefficients, readout


class Register:
    """A density matrix of labelled qubits that grows and shrinks."""

    def __init__(self):
        self.rho, self.labels = np.ones(()), []

    def add(self, matrix, labels):
        n, k = len(self.labels), len(labels)
        joined = np.multiply.outer(self.rho, matrix.reshape((2,) * (2 * k)))
        rows, columns = range(n), range(n, 2 * n)
        more, last = range(2 * n, 2 * n + k), range(2 * n + k, 2 * n + 2 * k)
        self.rho, self.labels = joined.transpose([*rows, *more, *columns, *last]), self.labels + list(labels)

    def _left(self, tensor, matrix, axes):
        k = len(axes)
        moved = np.tensordot(matrix.reshape((2,) * (2 * k)), tensor, axes=(range(k, 2 * k), axes))
        return np.moveaxis(moved, range(k), axes)

    def act(self, matrix, labels):
        """Return K rho K^H."""
        axes = [self.labels.index(label) for label in labels]
        bras = [axis + len(self.labels) for axis in axes]
        return self._left(self._left(self.rho, matrix, axes), matrix.conj(), bras)

    def gate(self, control, target, p2):
        self.rho = whole = self.act(CNOT, (control, target))
        for label in (control, target):
            self.rho = sum(self.act(pauli.astype(complex), (label,)) for pauli in PAULIS) / 4
        self.rho = p2 * whole + (1 - p2) * self.rho

    def traced(self, effects):
        """Return the tensor after tr_q(E rho) for every label -> E."""
        rho, labels = self.rho, list(self.labels)
        for label, effect in effects.items():
            axis = labels.index(label)
            moved = self._left(rho, effect.astype(complex), [axis])
            rho = np.trace(moved, axis1=axis, axis2=axis + len(labels))
            labels.pop(axis)
        return rho, labels

    def measure(self, branches):
        """Add up branches (label -> effect, corrections (matrix, label))."""
        total = 0
        for effects, corrections in branches:
            branch = Register()
            branch.rho, branch.labels = self.traced(effects)
            for matrix, label in corrections:
                branch.rho = branch.act(matrix, (label,))
            total = total + branch.rho
        self.rho, self.labels = total, branch.labels


def spanning_tree(links, root, graph=()):
    """(tree links as (link, from, to), closing links, links of each node in order), breadth first, ordinary first."""
    at = {}
    for k, ends in enumerate(links):
        for node in ends:
            at.setdefault(node, []).append(k)
    queue, reached, tree, closing = [(k, root) for k in at[root]], [root], [], []
    while queue:
        k, start = next((each for each in queue if each[0] not in graph), queue[0])
        queue.remove((k, start))
        other = sum(links[k]) - start
        if k in [each[0] for each in tree] + [each[0] for each in closing]:
            continue
        if other in reached:
            closing.append((k, start, other))
        else:
            tree.append((k, start, other))
            reached.append(other)
            queue += [(j, other) for j in at[other]]
    first = {other: k for k, _, other in tree} | {root: tree[0][0]}
    order = {node: sorted(own, key=lambda k: (k != first[node], k)) for node, own in at.items()}
    return tree, closing, order, reached


def oriented(matrix, ends, start):
    return matrix if ends[0] == start else matrix.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)


def dense(links, pairs, p2, eta, root=0, graph=(), checked=(), measured=()):
    """Pauli coefficients of the kept qubits (in order) and their labels; qubit of node v is called v."""
    tree, closing, order, reached = spanning_tree(links, root, graph)
    direction = {k: (u, v) for k, u, v in tree + closing}
    new, register, opened = {k: v for k, _, v in tree}, Register(), {}
    receiver = next(node for node in reached if node not in measured)

    def bring(k, near):
        u, v = direction[k]
        pair = oriented(pairs[k], links[k], u)
        if k in graph:
            pair = np.kron(np.eye(2), H) @ pair @ np.kron(np.eye(2), H)
        register.add(pair, (near, v if k in new else ("far", k)))

    bring(order[root][0], root)
    for node in reached:
        for k in order[node][1:]:
            if k in new:
                bring(k, "near")
                register.gate(node, "near", p2[node])
                fix = Z if k in graph else X
                register.measure(
                    [({"near": readout(m, eta[node])}, [(np.linalg.matrix_power(fix, m), new[k])]) for m in (0, 1)]
                )
                continue
            u, v = direction[k]
            if k not in opened:
                bring(k, ("near", k))
            register.gate(node, ("near" if node == u else "far", k), p2[node])
            opened[k] = opened.get(k, 0) + 1
            if opened[k] == 2:
                outcomes = [(m, n) for m in (0, 1) for n in (0, 1) if k not in checked or m == n]
                register.measure(
                    [
                        (
                            {("near", k): readout(m, eta[u]), ("far", k): readout(n, eta[v])},
                            [(np.linalg.matrix_power(Z, m), v), (np.linalg.matrix_power(Z, n), u)]
                            if k in graph
                            else [],
                        )
                        for m, n in outcomes
                    ]
                )
    for node in measured:
        register.rho = register.act(H, (node,))
        register.measure([({node: readout(m, eta[node])}, [(np.linalg.matrix_power(Z, m), receiver)]) for m in (0, 1)])
    size, places = 2 ** len(register.labels), np.argsort(register.labels)
    rho = register.rho.transpose([*places, *(places + len(places))]).reshape(size, size)
    return pauli_coefficients(rho)


def pauli_coefficients(rho):
    """tr(P rho) of all strings, (4,) * n."""
    n = int(np.log2(len(rho)))
    tensor = rho.reshape((2,) * (2 * n))
    for site in range(n):
        tensor = np.tensordot(tensor, np.array(PAULIS), axes=[[0, n - site], [2, 1]])
    return np.real(tensor)


def string_means(strings, links, pairs, p2, eta, root=0, graph=(), measured=()):
    """Means of many Pauli strings {node: array of I X Y Z = 0 .. 3}, taken backwards through gates and corrections."""
    tree, closing, order, reached = spanning_tree(links, root, graph)
    size = len(next(iter(strings.values())))
    zeros = lambda: np.zeros(size, bool)  # noqa: E731
    x = {node: np.isin(strings.get(node, zeros()), (1, 2)) for node in reached}
    z = {node: np.isin(strings.get(node, zeros()), (2, 3)) for node in reached}
    factor, receiver = np.ones(size), next(node for node in reached if node not in measured)
    halves = {}
    for node in measured:
        x[node] = x[receiver].copy()
        factor *= np.where(x[receiver], 2 * eta[node] - 1, 1)
    direction, new = {k: (u, v) for k, u, v in tree + closing}, {k: v for k, _, v in tree}
    for k, u, v in closing:
        halves[k, u], halves[k, v] = [zeros(), zeros()], [zeros(), zeros()]
        if k in graph:
            halves[k, u][1], halves[k, v][1] = x[v].copy(), x[u].copy()
            factor *= np.where(x[v], 2 * eta[u] - 1, 1) * np.where(x[u], 2 * eta[v] - 1, 1)
    for node in reversed(reached):
        for k in reversed(order[node][1:]):
            if k in new:
                flips = (x if k in graph else z)[new[k]]
                halves[k, node] = [zeros(), flips.copy()]
                factor *= np.where(flips, 2 * eta[node] - 1, 1)
            half = halves[k, node]
            factor *= np.where(x[node] | z[node] | half[0] | half[1], p2[node], 1)
            factor *= np.where(x[node] & half[1] & (half[0] == z[node]), -1, 1)
            half[0] = half[0] ^ x[node]
            z[node] = z[node] ^ half[1]
        halves[order[node][0], node] = [x[node], z[node]]
    for k, (u, v) in direction.items():
        pair = oriented(pairs[k], links[k], u)
        if k in graph:
            pair = np.kron(np.eye(2), H) @ pair @ np.kron(np.eye(2), H)
        letters = [np.array([0, 3, 1, 2])[2 * halves[k, end][0] + halves[k, end][1]] for end in (u, v)]
        factor = factor * coefficients(pair)[letters[0], letters[1]]
    return factor


def ghz_stabilisers(nodes):
    """All stabilisers of a GHZ state as ({node: letters}, signs)."""
    n = len(nodes)
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    flip, bits = bits[:, 0] == 1, np.concatenate([(bits[:, 1:].sum(1) % 2)[:, None], bits[:, 1:]], axis=1)
    letters = np.where(flip[:, None], np.where(bits, 2, 1), np.where(bits, 3, 0))
    return dict(zip(nodes, letters.T, strict=True)), np.where(flip, (-1.0) ** (bits.sum(1) // 2), 1.0)


def graph_stabilisers(nodes, edges):
    """All stabilisers of a graph state as ({node: letters}, signs)."""
    n, place = len(nodes), {node: k for k, node in enumerate(nodes)}
    g = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    adjacency = np.zeros((n, n), int)
    for u, v in edges:
        adjacency[place[u], place[v]] = adjacency[place[v], place[u]] = 1
    z = (g @ adjacency) % 2
    phase = (-1j) ** ((g * z).sum(1)) * (-1.0) ** ((g @ np.triu(adjacency)) * g).sum(1)
    letters = np.where(g, np.where(z, 2, 1), np.where(z, 3, 0))
    return dict(zip(nodes, letters.T, strict=True)), np.real(phase)


def tree_ghz_fidelity(links, pairs, p2, eta, root=0):
    """<GHZ| rho |GHZ> of a tree whose nodes all fuse: messages from the leaves of |0..0>, |1..1> and |0..0><1..1|."""
    tree, _, order, reached = spanning_tree(links, root)
    new, far = {k: v for k, _, v in tree}, {k: (u, v) for k, u, v in tree}
    states = {k: coefficients(oriented(pairs[k], links[k], u)) for k, u, _ in tree}
    basis = np.array([np.kron(a, b) for a in PAULIS for b in PAULIS])
    cnot = np.real(np.einsum("aij,bji->ab", basis, CNOT @ basis @ CNOT)) / 4
    lost = np.zeros((16, 16))
    lost[0, 0] = 1
    total = 0
    for row, weight in (([1, 0, 0, 1], 0.5), ([1, 0, 0, -1], 0.5), ([0, 1, 1j, 0], 1.0)):
        message = {}
        for node in reversed(reached):
            gate = (p2[node] * cnot + (1 - p2[node]) * lost).reshape(4, 4, 4, 4)
            found = np.array(row, complex) / 2
            for k in reversed(order[node][1:]):
                child = message[far[k][1]]
                kept, turned = child * [1, 1, 0, 0], (2 * eta[node] - 1) * child * [0, 0, 1, 1]
                effects = np.stack([states[k] @ kept, states[k] @ turned], axis=1)  # near half before, I or Z after
                found = np.einsum("a,abcd,db->c", found, gate[:, [0, 3]], effects)
            message[node] = found
        first = order[root][0]
        total += weight * np.real(message[root] @ states[first] @ message[new[first]])
    return total
