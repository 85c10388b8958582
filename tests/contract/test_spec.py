"""The contract in `ops/spec`: every id that is used is defined there, and every behaviour that is defined is proven by a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from service.domain.events import EVENTS, NewUnit, UnitPatch
from service.domain.policy import Policy
from service.http.problems import KINDS

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "ops" / "spec"
CODE = ("service", "projections", "migrations", "grafana", "ops", "tests")
ROW = re.compile(r"^\| ([AB][A-Z0-9-]*\d|promise \d) \|", re.MULTILINE)
"""A row of a table that begins with its id."""
NAMED = re.compile(r"\bB-[A-Z]+-\d+\b|\bA\d{1,2}\b|\bpromise \d\b", re.IGNORECASE)
MANY = re.compile(r"\bA(\d+) to A(\d+)\b")


def spelled(name: str) -> str:
    """Return an id as the tables spell it; a sentence may begin with a promise."""
    return name.lower() if name.lower().startswith("promise") else name


def named(text: str) -> set[str]:
    """Return the ids in *text*.

    >>> sorted(named("A1 to A3, B-RETRY-3: the rest."))
    ['A1', 'A2', 'A3', 'B-RETRY-3']
    """
    between = {f"A{number}" for first, last in MANY.findall(text) for number in range(int(first), int(last) + 1)}
    return {spelled(name) for name in NAMED.findall(text) if name[0] != "a"} | between


def rows(file: str) -> list[str]:
    """Return the ids that a file of the contract defines."""
    return ROW.findall((SPEC / file).read_text(encoding="utf-8"))


def sources() -> Iterator[Path]:
    """Yield what may name an id: code, its docstrings and comments, and the decisions."""
    for folder in CODE:
        yield from (ROOT / folder).rglob("*.py")
    yield from (ROOT / "ops" / "adr").glob("*.md")


def docstrings(path: Path) -> Iterator[str]:
    """Yield the docstring of every test in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield ast.get_docstring(node) or ""


def proven() -> set[str]:
    """Return the ids that a test names in its docstring."""
    texts = (text for path in (ROOT / "tests").rglob("test_*.py") for text in docstrings(path))
    return set[str]().union(*map(named, texts))


DEFINED = {*rows("behaviours.md"), *rows("reliability.md")}


@pytest.mark.parametrize("file", ["behaviours.md", "reliability.md"])
def test_an_id_is_defined_once(file: str) -> None:
    assert len(rows(file)) == len(set(rows(file))) > 0


def test_every_id_in_code_tests_and_decisions_is_defined() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        if path != Path(__file__)
        for name in named(path.read_text(encoding="utf-8")) - DEFINED
    }
    assert sorted(unknown) == []


def test_every_behaviour_and_every_invariant_is_named_by_a_test() -> None:
    promises = {name for name in DEFINED if name.startswith("promise")}
    assert sorted(DEFINED - promises - proven()) == []


def test_rows_of_a_family_stand_in_the_order_of_their_numbers() -> None:
    """The last row of a family shows the next free number."""
    families: dict[str, list[int]] = {}
    for name in rows("behaviours.md"):
        family, _, number = name.rpartition("-")
        families.setdefault(family, []).append(int(number))
    assert all(numbers == sorted(numbers) for numbers in families.values())


def fields(kind: type[msgspec.Struct]) -> Iterator[str]:
    """Yield the names of the fields of a policy and of what is inside it."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from fields(field.type)
        else:
            yield field.name


def test_every_field_of_a_policy_and_every_kind_of_problem_is_in_the_contract() -> None:
    text = (SPEC / "api.md").read_text(encoding="utf-8")
    assert [name for name in fields(Policy) if not re.search(rf"[`.\"]{name}[`\"]", text)] == []
    assert [slug for slug in KINDS if f"`{slug}`" not in text] == []


@pytest.mark.parametrize("page", sorted([*SPEC.glob("*.md"), *(ROOT / "ops" / "adr").glob("*.md")]), ids=lambda page: page.name)
def test_every_link_of_the_contract_and_the_decisions_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_kind_of_event_is_in_the_contract_with_its_fields() -> None:
    text = (SPEC / "events.md").read_text(encoding="utf-8")
    told = {
        kind: set(re.findall(r"`(\w+)`", data))
        for kinds, data in re.findall(r"^\| ((?:`[a-z_.]+` ?)+)\| (.*?) ?\| [^|]*\|$", text, re.MULTILINE)
        for kind in re.findall(r"`([a-z_.]+)`", kinds)
    }
    inside = {*NewUnit.__struct_fields__, *UnitPatch.__struct_fields__}
    known = {event.kind: {field.encode_name for field in msgspec.structs.fields(event)} for event in EVENTS}
    assert told.keys() == known.keys()
    assert {kind for kind, fields in known.items() if not fields <= told[kind] <= fields | inside} == set()
