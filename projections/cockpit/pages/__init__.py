"""The pages of the cockpit, one file per page, and the registry of their URLs."""
