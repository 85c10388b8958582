"""The only code that knows tables: connections, named queries, the log and the state."""
