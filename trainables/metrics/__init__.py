"""Metrics: one file each, found by name; a new one is a new file here, or in `metrics/` of a plugin folder."""
