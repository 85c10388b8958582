"""Where the time of every campaign's units went."""
