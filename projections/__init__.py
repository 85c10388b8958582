"""Folds, shows and counts: every road of Muster that reads the log."""
