"""The spool on disk."""

import os
from pathlib import Path

from service.client.claim_types import CompletionReport
from service.worker.spool import Spool, SpoolEntry

URL = "http://127.0.0.1:8110"
ENTRY = SpoolEntry(worker="w", campaign="c", key="k", token="t", outcome=CompletionReport("t", exit_code=0))


def test_an_outcome_of_a_dead_worker_is_taken_over(tmp_path: Path) -> None:
    first = Spool(tmp_path, URL)
    first.keep(ENTRY)
    first.close()
    second = Spool(tmp_path, URL)
    assert list(second.entries()) == [ENTRY]
    second.close()


def test_entries_of_a_living_worker_are_left_alone(tmp_path: Path) -> None:
    living = Spool(tmp_path, URL)
    living.keep(ENTRY)
    other = Spool(tmp_path, URL)
    assert list(other.entries()) == []
    assert list(living.entries()) == [ENTRY]
    other.close()
    living.close()


def test_entries_for_another_service_are_not_taken_over(tmp_path: Path) -> None:
    first = Spool(tmp_path, URL)
    first.keep(ENTRY)
    first.close()
    elsewhere = Spool(tmp_path, "http://127.0.0.1:9999")
    assert list(elsewhere.entries()) == []
    elsewhere.close()


def test_a_forgotten_entry_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, URL)
    spool.note(ENTRY)
    spool.forget(ENTRY)
    spool.close()
    assert [file for file in tmp_path.rglob("*") if file.name.endswith(".json")] == []
    assert [folder.name for folder in next(tmp_path.iterdir()).iterdir()] == ["lock"]


def test_a_file_that_cannot_be_decoded_is_put_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path, URL)
    spool.keep(ENTRY)
    for file in tmp_path.rglob("*.json"):
        os.truncate(file, 3)
    assert list(spool.entries()) == []
    assert [file.name for file in tmp_path.rglob("refused/*")] == [ENTRY.file]
    spool.close()


def test_a_refused_outcome_is_kept_for_a_person(tmp_path: Path) -> None:
    spool = Spool(tmp_path, URL)
    spool.keep(ENTRY)
    spool.put_aside(ENTRY)
    spool.close()
    assert [file.name for file in tmp_path.rglob("refused/*")] == [ENTRY.file]
