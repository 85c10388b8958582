"""The handlers of every route that changes something, one file per resource."""
