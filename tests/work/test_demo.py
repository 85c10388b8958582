"""The demo's input and its account."""

import py_compile
from pathlib import Path

import pytest

from ops.demo.account import History, account, table
from ops.demo.library import broken, library

ADDED = {"kind": "units.added", "unit": None, "data": {"units": [{"key": key} for key in "abc"]}}


def happened(kind: str, unit: str) -> dict[str, object]:
    """Return an event of *unit*."""
    return {"kind": f"unit.{kind}", "unit": unit, "data": {}}


EVENTS = (
    ADDED,
    happened("claimed", "a"),
    happened("completed", "a"),
    happened("claimed", "b"),
    happened("attempt_failed", "b"),
    happened("quarantined", "b"),
    happened("late_result", "b"),
)


def test_the_input_is_the_whole_library_with_its_tests() -> None:
    keys = {unit["key"] for unit in library()}
    assert {"ast.py", "test/test_ast.py", "lib2to3/tests/data/py2_test_grammar.py"} <= keys
    assert not [key for key in keys if "site-packages" in key]
    assert max(map(len, keys)) <= 200


def test_no_broken_file_of_the_demo_compiles(tmp_path: Path) -> None:
    for unit in broken(tmp_path):
        with pytest.raises(py_compile.PyCompileError):
            py_compile.compile(unit["payload"]["path"], cfile=str(tmp_path / "out"), doraise=True)


def test_the_account_folds_the_log_into_the_state_of_every_unit() -> None:
    """B-VIEW-6."""
    history = History.of(EVENTS)
    assert dict(history.states) == {"done": 1, "quarantined": 1, "ready": 1}
    rows = account({"total": 3, "done": 1, "quarantined": 1, "ready": 1}, history.states, dict(history.states))
    assert all(row.equal for row in rows)
    assert rows[-1].what == "all units"
    assert rows[-1].api == 3


def test_the_account_shows_a_number_that_differs() -> None:
    rows = account({"done": 2}, {"done": 2}, {"done": 1, "running": 1})
    assert [row.what for row in rows if not row.equal] == ["done", "still to do"]
    assert "NO" in table(rows)
