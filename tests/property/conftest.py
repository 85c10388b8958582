"""How hypothesis looks for histories: as long here as anywhere, and the same ones wherever nobody watches."""

import os

from hypothesis import settings

settings.register_profile("muster", max_examples=100, deadline=None, database=None, derandomize="CI" in os.environ)
settings.load_profile("muster")
