"""The face that is asked: requests become commands, answers become bodies."""
