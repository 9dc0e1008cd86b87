"""What a user writes: no type may be unknown to a strict type checker."""

import jax

import qtn
from qtn.states import fidelity_to, ghz

line = qtn.chain(
    qtn.abstract_link(p_success=0.01, attempt_time=1.0, werner=0.98),
    qtn.node(qtn.depolarising_memory(600.0), qtn.gates(0.99, 0.98), p_swap=0.5),
    num_links=2,
)
outcome = qtn.evaluate(line, qtn.nested(1))
found = qtn.gradient(line, qtn.nested(1), of=lambda summary: summary.mean_time)
rate = qtn.secret_key_rate(outcome)
ladder = qtn.circuit(3, [qtn.gate("H", 0), qtn.gate("CX", [(0, 1), (1, 2)])])
state, info = qtn.run(ladder, qtn.noise_model(two_qubit=qtn.channels.depolarising(0.1, 2)))
values, report = qtn.trajectories(
    ladder, observables=[{1: "Z"}], num_trajectories=100, max_bond=8, key=jax.random.key(0)
)
best = qtn.search(line, qtn.SearchSpace(max_rounds=1))
problem = qtn.load("problem.toml")
optimum = qtn.optimise(problem)
overlap = fidelity_to(state, ghz(3))
schedule = qtn.swap(qtn.distill(qtn.elementary(0), protocol=qtn.DEJMPS), qtn.elementary(1), cutoff_time=10.0)
