"""The cockpit: server-rendered pages about campaigns, units, workers and the log, with the orders that a person gives there."""
