"""Distributed quantum computing: what processors do with the pairs that a network delivers."""
