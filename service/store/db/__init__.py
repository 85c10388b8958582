"""Connections, named queries, the schema and its migrations."""
