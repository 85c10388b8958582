"""`muster top`: the same facts live, with the keys of the cockpit."""
