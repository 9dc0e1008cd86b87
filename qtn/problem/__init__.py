"""The problem file: TOML to checked tables, tables to chains and schedules."""
