"""The handlers of every route that reads, one file per resource."""
