"""Logging: one line per event on standard error, as text for a person or as JSON for a machine."""

import logging
from datetime import UTC, datetime

import msgspec
from typing_extensions import override

from service.settings import Settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLine(logging.Formatter):
    """Formats each record as one JSON object on one line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(settings: Settings) -> None:
    """Send every logger's lines to standard error in the chosen format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine() if settings.log_format == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # below warning these libraries log every request and every migration step
    for library in ("alembic", "httpcore", "httpx", "sqlalchemy", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # asyncpg logs a stack for every connection that it cannot reset after an outage; our loops log an outage once
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
