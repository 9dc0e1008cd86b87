"""The file that `qtn new` writes."""

TEMPLATE = """\
# A problem for qtn: hardware, schedule, and what to optimise. Units are in the names of the keys.
schema = 1

[chain]
num_links = 2                     # with one [[chain.links]] table per link it may be left out

[chain.link]                      # one link for all positions; or [[chain.links]], left to right
model = "single_click"            # | "abstract" | "double_click" | "midpoint_source" | "direct_transmission" | ...
length_km = 50.0                  # or length_left_km and length_right_km of the midpoint
attenuation_db_per_km = 0.2       # or loss_left_db and loss_right_db
efficiency = 0.3                  # emission x coupling x detection, outside the fibre
visibility = 0.95
dark_count_probability = 1e-8     # per detector and window
phase_std_rad = 0.1
bright_state = 0.05               # or [left, right]
emission_time_s = 1e-6
num_modes = 1

[chain.node]                      # one node for all positions; or num_links + 1 [[chain.nodes]] tables
memory = { model = "dephasing", t2_s = 10.0 }   # | "depolarising" (time_constant_s) | "perfect"
gates = { two_qubit = 0.995, readout = 0.998 }
swap = { p_success = 1.0 }

[schedule]                        # 0, 1, ... are links; steps are swap, distill, wait
tree = "swap(0, 1, cutoff_time=0.5)"
distill = "bbpssw"                # default protocol of distill(...): "bbpssw" | "dejmps"

[merit]
protocol = "bb84"                 # | "six_state" | "bbm92" | "chsh_di" | "hashing"
preprocessing = 0.0               # probability of flipped raw bits, or "optimised"
direct_source_rate_hz = 1e9       # for the comparison with direct transmission; direct_loss_db where links are abstract
# deadline_s = 0.1                # what comes of giving up then;  ages = true: how long pairs were stored

# [time]                          # the time grid is chosen, and its error reported, unless given
# step_s = 1e-3
# num_steps = 65536

[optimise]
maximise = "secret_key_rate_hz"
parameters = ["chain.link.bright_state", "schedule.cutoff_times"]
# minimum = { fidelity = 0.9 }    # what must hold: any quantity of which more is better
# minimise = "hardware_cost"      # with minimum: which hardware is needed, instead of maximise
# search = { max_rounds = 1, protocols = ["bbpssw", "dejmps"], cutoffs = true }   # instead of [schedule]: find the best
"""
