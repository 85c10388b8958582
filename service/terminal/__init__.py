"""The service seen from a terminal: a client of the API, and how its answers are shown."""
