"""The small problem that several tests of commands and stores share."""

SWEPT = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
[schedule]
tree = "swap(0, 1)"
[time]
step_s = 1e-3
num_steps = 1024
[sweep]
outputs = ["fidelity"]
[sweep.axes]
"chain.link.werner" = { start = 0.9, stop = 1.0, num = %d }
"""
"""A sweep of so many points."""
