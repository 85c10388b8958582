"""What is counted and measured: a catalogue as data, and the pure fold of events into series."""
