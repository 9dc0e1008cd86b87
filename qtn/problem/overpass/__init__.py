"""The root [overpass]: satellites that pass over stations."""
