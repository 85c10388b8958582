"""A request of the write side: its path, its body, and the types of the fields in it."""
