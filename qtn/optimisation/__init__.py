"""Gradient-based optimisation of any function of a pytree: no physics in here."""
