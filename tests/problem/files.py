"""Problem texts that tests share."""

FOUR_LINKS = """
schema = 1
[chain]
num_links = 4
[chain.link]
model = "abstract"
p_success = 9.2e-4
attempt_time_s = 1.0
werner = 0.952
[chain.node]
memory = { model = "depolarising", time_constant_s = 2.8e6 }
gates = { two_qubit = 1.0, readout = 1.0 }
swap = { p_success = 0.85 }
[schedule]
tree = "swap(swap(distill(0), distill(1)), swap(distill(2), distill(3)))"
distill = "bbpssw"
[merit]
protocol = "bb84"
[optimise]
maximise = "secret_key_rate_hz"
parameters = ["chain.link.werner"]
"""

CLICKS = """
schema = 1
[chain]
[[chain.links]]
model = "single_click"
length_left_km = 30.0
length_right_km = 10.0
loss_left_db = 6.0
loss_right_db = 2.5
efficiency = 0.5
visibility = 0.97
dark_count_probability = 1e-6
phase_std_rad = 0.1
bright_state = [0.03, 0.02]
emission_time_s = 1e-5
[[chain.links]]
model = "double_click"
length_km = 40.0
attenuation_db_per_km = 0.2
efficiency = 0.5
visibility = 0.97
num_modes = 10
[[chain.nodes]]
memory = { model = "dephasing", t2_s = 1.0 }
[[chain.nodes]]
memory = { model = "t1t2", t1_s = inf, t2_s = 0.8 }
gates = { two_qubit = 0.99, readout = 0.995 }
[[chain.nodes]]
[schedule]
tree = "swap(0, wait(1, 1e-4), cutoff_time=0.05)"
distill = "dejmps"
[merit]
protocol = "six_state"
direct_source_rate_hz = 1e6
"""
