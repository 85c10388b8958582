"""The handlers of every read, one file per resource."""
