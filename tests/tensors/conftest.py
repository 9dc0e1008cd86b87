"""Programs of their own are not tests."""

collect_ignore = ["sharded_program.py"]
