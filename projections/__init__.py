"""Everything that reads the log: views, measures, their projector, exports, and the cockpit."""
