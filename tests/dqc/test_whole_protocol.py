"""Whole distributed runs against a dense register: copies that stay open while others wait, moves, all noise at once.

Pairs take exactly one step, so that every round is a known wait; gates take no time.
"""

import numpy as np
import pytest

from qtn.circuits import circuit, gate
from qtn.circuits.gates import GATES
from qtn.dqc import distribute, processor, run, steady_pairs
from qtn.dqc.distributed import Close, Local, Move, Open, Remote, Through
from qtn.hardware.gates import gates
from qtn.hardware.memory import relaxing_memory
from tests.oracles import density, remote
from tests.oracles.register import Register

STEP = 0.05
SITES = [remote.Site(0.99, 0.97, 0.96, 0.0, 1.1, 0.9), remote.Site(0.98, 0.95, 0.99, 0.0, 0.6, 0.5), remote.Site()]
RNG = np.random.default_rng(17)
RHO = density.random_state(RNG)


def machine(site):
    memory = relaxing_memory(site.t1, site.t2) if np.isfinite(site.t2) else None
    return processor(memory, gates(site.p2, site.eta), one_qubit=site.p1)


class Walk:
    """Follows the actions of a distributed circuit with a register."""

    def __init__(self, distributed):
        self.distributed, self.owner = distributed, {f"q{s}": p for s, p in enumerate(distributed.placement)}
        self.register, self.rounds = Register(), 0
        for name in self.owner:
            self.register.add([name], np.diag([1.0, 0.0]).astype(complex))

    def wait(self):
        self.rounds += 1
        for name, owner in self.owner.items():
            remote.store(self.register, {name: SITES[owner]}, STEP)

    def pair(self, source, target):
        return RHO if source < target else density.partial_trace(RHO, [1, 0])

    def layers(self):
        for layer in self.distributed.layers:
            asked, number, started = {}, -1, 0
            for action in layer.actions:
                ends = self.distributed.ends(action)
                if ends is not None:
                    number = asked[ends] = max(asked.get(ends, -1) + 1, number)
                    if number >= started:
                        self.wait()
                        started += 1
                self.act(action)
        return self.register.coefficients([f"q{s}" for s in range(len(self.distributed.placement))])

    def act(self, action):
        if isinstance(action, Local | Through):
            return self.gate(action)
        if isinstance(action, Open | Close):
            copy = self.distributed.copies[action.copy]
            ends = SITES[copy.source], SITES[copy.target]
            name, q = f"copy{action.copy}", f"q{copy.qubit}"
            if isinstance(action, Open):
                pair = self.pair(copy.source, copy.target)
                remote.open_copy(self.register, q, "half", name, pair, *ends, copy.letter, 0.0, {})
                self.owner[name] = copy.target
            else:
                remote.close_copy(self.register, q, name, *ends, copy.letter, 0.0, {})
                del self.owner[name]
            return None
        ends, pair = (SITES[action.source], SITES[action.target]), self.pair(action.source, action.target)
        if isinstance(action, Move):
            remote.teledata(self.register, f"q{action.qubit}", "new", pair, *ends)
            self.register.names[self.register.names.index("new")] = f"q{action.qubit}"
            self.owner[f"q{action.qubit}"] = action.target
            return None
        assert isinstance(action, Remote)
        matrix, names = self.matrix(action.gate)
        if action.copied:
            matrix = matrix.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
        first, second = names[action.copied], names[1 - action.copied]
        return remote.telegate(self.register, first, second, matrix, pair, *ends, action.letter)

    def matrix(self, where):
        operation = self.distributed.circuit.operations[where.operation]
        angles = [float(each[where.place]) for each in operation.parameters]
        names = [f"q{site}" for site in operation.sites[where.place]]
        return np.asarray(GATES[operation.name].matrix(*angles)), names

    def gate(self, action):
        matrix, names = self.matrix(action.gate)
        if isinstance(action, Through):
            names[action.operand] = f"copy{action.copy}"
        self.register.unitary(matrix, names)
        site = SITES[self.owner[names[0]]]
        if len(names) == 2:
            self.register.depolarise(names, site.p2)
        else:
            remote.one_qubit_noise(self.register, names[0], site.p1)


def fan_out():
    """Phases of one qubit with both of another processor, between them a gate that takes another pair."""
    return [
        gate("H", [0, 1, 2, 3]),
        gate("CP", (0, 2), 0.9),
        gate("CX", (1, 2)),
        gate("RX", 1, 0.4),
        gate("CX", (1, 3)),
        gate("CP", (3, 0), 0.5),
        gate("RY", [0, 1, 2, 3], RNG.random(4)),
    ]


def visits():
    """Gates that are diagonal on neither operand: a qubit is moved."""
    return [
        gate("RY", [0, 1, 2, 3], RNG.random(4)),
        gate("SWAP", (0, 2)),
        gate("RXX", (1, 3), 0.7),
        gate("ISWAP", (3, 0)),
    ]


@pytest.mark.parametrize(("steps", "kind"), [(fan_out(), Open), (visits(), Move)], ids=["copies", "moves"])
def test_the_whole_protocol(steps, kind):
    distributed = distribute(circuit(4, steps), qpus=[1, 1, 2])
    assert any(isinstance(action, kind) for layer in distributed.layers for action in layer.actions)
    pairs = steady_pairs(density.coefficients(RHO), 1 / STEP, p_success=1.0)
    strings = ["XZII", "ZIYI", "IXIX", "YIIZ", "ZZZZ", "XYZX"]
    walk = Walk(distributed)
    exact = walk.layers()
    found = run(distributed, pairs, [machine(site) for site in SITES], observables=strings, waits="independent")
    expected = [exact[tuple("IXYZ".index(letter) for letter in each)] for each in strings]
    np.testing.assert_allclose(found.observables, expected, atol=1e-12)
    assert float(found.mean_time) == pytest.approx(walk.rounds * STEP)
