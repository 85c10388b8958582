#!/usr/bin/env python3
"""Ask this container's Muster for /readyz, or for the path that is given; exit 1 when the answer is no."""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4


def status(path: str) -> int:
    """Return how *path* is answered: loopback alone, whatever proxy the environment names."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("MUSTER_PORT", "8110")), timeout=TIMEOUT_S)
    connection.request("GET", path)
    return connection.getresponse().status


try:
    sys.exit(status(sys.argv[1] if len(sys.argv) > 1 else "/readyz") != 200)
except (OSError, HTTPException) as error:
    sys.exit(f"no answer: {error}")
