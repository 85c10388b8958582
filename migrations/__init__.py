"""The schema of Muster, one idea a step."""
