"""Planning: the best schedule of a chain, and what its hardware must be able to do."""
