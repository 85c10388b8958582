"""The cockpit: server-rendered pages about campaigns, units, workers and the log, and the actions that a person takes there."""
