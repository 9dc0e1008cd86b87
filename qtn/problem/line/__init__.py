"""The root [line]: light that goes straight from a source to detectors."""
