"""The core: commands, events, state, decide and evolve. No I/O, no clock, no chance of its own."""
