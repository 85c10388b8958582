"""Pure folds of the log into views: events in, cards out."""
