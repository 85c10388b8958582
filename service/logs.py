"""How Muster logs: one line an occurrence on standard error, for a person or for a machine."""

import logging
from datetime import UTC, datetime

import msgspec
from typing_extensions import override

from service.settings import Settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLine(logging.Formatter):
    """One JSON object a line."""

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
    for chatty in ("alembic", "httpcore", "httpx", "sqlalchemy", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # a stack for every connection not restored; our loops say it once
