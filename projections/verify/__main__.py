"""`python -m projections.verify`: the process that the consistency check starts; prints its result as JSON."""

import asyncio
import os
import sys

import msgspec

from projections.verify.refold import compare
from service.logs import configure
from service.settings import Settings

settings = Settings.read(os.environ)
configure(settings)
sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(compare(settings.dsn))))
