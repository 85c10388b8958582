"""The input of the demo: every Python file of the standard library, and a few that we break."""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOREIGN = frozenset({"site-packages", "dist-packages", "__pycache__"})
BROKEN = {
    "unclosed.py": "total = sum([1, 2, 3)\n",
    "indented.py": "def late():\nreturn 1\n",
    "assigned.py": "for 1 in range(3):\n    pass\n",
    "returned.py": "return 'nowhere'\n",
    "encoded.py": "# coding: no-such-coding\nname = 1\n",
}

Unit = dict[str, Any]


def library() -> Iterator[Unit]:
    """Name every file of the standard library, tests included, by its path below the library."""
    root = Path(sysconfig.get_path("stdlib"))
    for file in sorted(root.rglob("*.py")):
        inner = file.relative_to(root)
        if not FOREIGN & set(inner.parts):
            yield {"key": inner.as_posix(), "payload": {"path": str(file)}}


def broken(folder: Path) -> Iterator[Unit]:
    """Write the files that no compiler takes, and name them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in BROKEN.items():
        (folder / name).write_text(text)
        yield {"key": f"broken/{name}", "payload": {"path": str(folder / name)}}


def compiler() -> tuple[str, ...]:
    """Return the command that compiles one file."""
    return (sys.executable, "-m", "py_compile", "{payload.path}")
