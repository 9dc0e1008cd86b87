"""The best of an optimisation as a file: it describes the same system as what was found."""

import jax
import numpy as np
import pytest

from qtn.problem.best import as_toml, best_problem
from qtn.problem.choice import Choice
from qtn.problem.load import loads
from qtn.problem.names import initial_values, schedule_with, setting_with
from qtn.problem.objective import parameters_of
from qtn.schedules.text import parse

LINK = '{ model = "single_click", length_km = %s, attenuation_db_per_km = 0.2, bright_state = 0.05, efficiency = 0.3 }'
NODE = '{ memory = { model = "dephasing", t2_s = 2.0 }, gates = { two_qubit = 0.99, readout = 0.99 } }'
CHAIN = f"""
schema = 1
[chain]
num_links = 2
link = {LINK % 30}
node = {NODE}
[schedule]
tree = "swap(0, 1, cutoff_time=0.5)"
[optimise]
maximise = "rate_hz"
"""
PLACED = CHAIN.replace("num_links = 2\n", "").replace(f"link = {LINK % 30}", f"links = [{LINK % 30}, {LINK % 20}]")

PROBLEMS = {
    "one number and a cut-off": CHAIN + 'parameters = ["chain.link.bright_state", "schedule.cutoff_times"]',
    "nodes apart": CHAIN + 'parameters = ["chain.nodes.*.memory.t2_s", "chain.nodes.*.gates.readout"]',
    "links apart": PLACED + 'parameters = ["chain.links.*.bright_state"]',
    "both sides of one": PLACED.replace("bright_state = 0.05", "bright_state = [0.05, 0.06]")
    + 'parameters = ["chain.links.*.bright_state"]',
    "positions": PLACED + 'parameters = ["chain.positions_km"]',
    "searched": CHAIN.replace('[schedule]\ntree = "swap(0, 1, cutoff_time=0.5)"\n', "")
    + 'parameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 1, cutoffs = true }',
}


@pytest.mark.parametrize("text", PROBLEMS.values(), ids=PROBLEMS)
def test_the_file_describes_what_was_found(text):
    problem = loads(text)
    values = {name: 0.9 * value for name, value in parameters_of(problem).initial.items()}
    schedule = problem.given_schedule
    if schedule is None:
        schedule = parse("swap(distill(0), 1, cutoff_time=0.1234567890123456789)")
        values |= {"schedule.cutoff_times.0": 0.12345678901234568}
    elif any("cutoff" in name for name in values):
        schedule = schedule_with(problem, values)
    found = Choice(schedule, values, {}, 0.0, 0.0, 0.0)
    again = loads(as_toml(best_problem(problem, found), "the best"))
    names = {name: value for name, value in values.items() if not name.startswith("schedule.")}
    wanted = (setting_with(problem, names).chain, schedule)
    kept = (again.chain, again.schedule)
    assert jax.tree.structure(kept) == jax.tree.structure(wanted)
    for own, other in zip(jax.tree.leaves(kept), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12)
    assert again.config.optimise == problem.config.optimise
    if "search" not in text:
        assert initial_values(again, list(names)) == pytest.approx(names, rel=1e-12)
