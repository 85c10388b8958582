"""Pure folds of the log into what people and machines read: events in, cards out."""
