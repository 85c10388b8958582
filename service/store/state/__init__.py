"""The state tables: what a batch reads before its decisions and saves after them."""
