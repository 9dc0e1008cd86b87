"""Figures of merit of a delivered pair."""
