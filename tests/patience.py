"""How long a test waits for what must come.

A test waits for a condition, and this bound only ends one that waits in vain: a machine of a quarter of the speed of ours, with
four runners on it, stays far below. What is to be fast is measured by `make bench`, as a ratio.
"""

PATIENCE_S = 60.0
