"""The files that start Muster somewhere, read as their programs read them, and what must hold in all of them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes without types

from service.cli import COMMANDS
from service.otel_env import otel_settings
from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
PINNED = re.compile(r"(?:[a-z0-9-]+/)?[a-z0-9-]+:v?\d+\.\d+[\w.-]*")
LISTENS = re.compile(r"server \{\s+listen (\d+);(.*?)\n    \}", re.DOTALL)


def read(path: str) -> Any:  # noqa: ANN401  # YAML has no narrower type
    """Return the one document of a file below the root of the project."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def documents(text: str) -> list[dict[str, Any]]:
    """Return every document of *text*."""
    return list(yaml.safe_load_all(text))


def require_pinned(images: Iterable[str]) -> None:
    """Fail unless each image is named by a version, and by no registry."""
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def require_settings(environment: Mapping[str, object]) -> Settings:
    """Return what Muster reads from *environment*; a variable of ours that it does not know fails."""
    texts = {name: str(value) for name, value in environment.items()}
    ours = {name.removeprefix(PREFIX).lower() for name in texts if name.startswith(PREFIX)}
    assert ours <= set(Settings.__struct_fields__)
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://there:4317"}
    for name, value in texts.items():
        if name.startswith("OTEL_") and name not in endpoint:
            assert otel_settings({**endpoint, name: value}).keys() > {"otlp_endpoint"}, name
    return Settings.read(texts)


def require_command(words: Iterable[str]) -> None:
    """Fail unless *words* begin with a command of ours."""
    assert next(iter(words)) in COMMANDS


def doors(path: str) -> dict[int, str]:
    """Return each port that a gate listens on, with what it does there."""
    return {int(port): body for port, body in LISTENS.findall((ROOT / path).read_text(encoding="utf-8"))}
