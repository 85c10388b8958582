"""The handlers of every mutation, one file per resource."""
