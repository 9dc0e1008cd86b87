"""The comparison with other programs."""
