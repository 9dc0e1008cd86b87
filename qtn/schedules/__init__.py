"""Schedules as data: a static tree of steps, and the cut-offs and waits it holds as numbers."""
