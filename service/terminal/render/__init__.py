"""How each resource is shown: the columns of its list and the name-value pairs of its details."""
