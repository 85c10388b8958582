"""The worker: claims units, runs a command for each, and reports how it went."""
