"""Exports of metrics and traces: Prometheus text, OTLP, and a backfill of the past."""
