"""The names of the code are words that its field searches for; metaphors that were removed stay out."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("service", "projections")
ROOMS = (*PRODUCT, "ops", "grafana", "migrations", "tests")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

METAPHORS = {
    "atlas", "bell", "courier", "crew", "deed", "desk", "easel", "errand", "gallery", "lookout", "narrator", "roster", "scribe",
}  # fmt: skip
"""Old names of a page registry, wake-up, report sender, workers, action, context, lock, workload, page cache, context, console,
heartbeats and SQL client. None of them is a term of this domain, so each occurrence is a relapse."""

EMPTY = {"asked", "found", "given", "held", "kept", "known", "named", "sent", "shown", "told", "wanted"}
"""Participles that need an object to say something: `found_units`, not `found`."""

MODULES = 16
"""The most modules in one folder; a larger folder gets rooms."""


def modules(*rooms: str) -> list[Path]:
    """Return the modules of *rooms*, but this one."""
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py")) if path != Path(__file__)]


def words(path: Path) -> Iterator[str]:
    """Yield the words of names, comments and texts of a file, as they are and in the singular."""
    for word in WORD.findall(f"{path.stem}\n{path.read_text(encoding='utf-8')}"):
        yield word.lower()
        yield word.lower().removesuffix("s")


def definitions(*rooms: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield every definition in *rooms* with its module."""
    for path in modules(*rooms):
        place = path.relative_to(ROOT).as_posix()
        yield from ((place, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("room", ROOMS)
def test_removed_metaphors_stay_out(room: str) -> None:
    relapses = {path.relative_to(ROOT).as_posix(): METAPHORS.intersection(words(path)) for path in modules(room)}
    assert {place: sorted(found) for place, found in relapses.items() if found} == {}


def test_no_function_is_a_participle_alone() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    empty = [
        f"{place}: {node.name}"
        for place, node in definitions(*PRODUCT)
        if isinstance(node, functions) and node.name.strip("_") in EMPTY
    ]
    assert empty == []


def test_a_class_name_stands_once_in_service_and_projections() -> None:
    places: dict[str, list[str]] = {}
    for place, node in definitions(*PRODUCT):
        if isinstance(node, ast.ClassDef):
            places.setdefault(node.name, []).append(place)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_a_folder_holds_at_most_sixteen_modules() -> None:
    folders = chain.from_iterable((ROOT / room, *(ROOT / room).rglob("*/")) for room in PRODUCT)
    wide = {}
    for folder in folders:
        place = folder.relative_to(ROOT).as_posix()
        count = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        if count > MODULES:
            wide[place] = count
    assert wide == {}
