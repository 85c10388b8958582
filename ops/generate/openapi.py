"""Write ops/reference/openapi.json from the routes; `--check` only compares."""

import asyncio
import sys
from pathlib import Path

import msgspec

from service.http.middleware import Middleware
from service.http.openapi.document import document
from service.main import create_app
from service.settings import Settings

TARGET = Path(__file__).parents[1] / "reference" / "openapi.json"


async def drawn() -> str:
    """Return the document of the whole app; nothing is opened for it."""
    edge = create_app(Settings())
    assert isinstance(edge, Middleware)
    return msgspec.json.format(msgspec.json.encode(document(edge.app)), indent=2).decode() + "\n"


text = asyncio.run(drawn())
if "--check" in sys.argv[1:]:
    sys.exit(0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else "stale, run `make generate`: openapi.json")
if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    print("written: ops/reference/openapi.json")
