"""The core: commands, events, state, decide and evolve. It does no I/O; time and chance are arguments."""
