"""Metrics: the catalogue as data, and the pure fold of events into series."""
