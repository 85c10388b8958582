"""The views of one unit: its attempts, its trace, its quarantine."""
