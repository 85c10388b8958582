"""Decides and records: every road of Muster that changes something."""
