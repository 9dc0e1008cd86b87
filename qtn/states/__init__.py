"""Quantum states."""
