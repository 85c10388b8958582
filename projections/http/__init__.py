"""Reads over HTTP: campaigns, units, workers, quotas, the engine, the log, the metrics."""
