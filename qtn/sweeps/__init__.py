"""Evaluate one function at many points: grids, batches, shards, and a store that survives anything."""
