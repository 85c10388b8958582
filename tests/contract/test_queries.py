"""Files of named queries: what they may hold and how they are read."""

import pytest

from service.store.db.queries import Queries, QueryFileBroken, parse

TWO = """-- Statements about units.

-- name: one
-- Answers one.
SELECT 1

-- name: two
SELECT 2
"""


def test_each_name_is_an_attribute_with_its_comment_and_statement() -> None:
    queries = Queries("units.sql", parse(TWO))
    assert queries.one == "-- name: one\n-- Answers one.\nSELECT 1"
    assert dict(queries) == {"one": queries.one, "two": "-- name: two\nSELECT 2"}


def test_an_unknown_name_says_which_file_lacks_it() -> None:
    with pytest.raises(AttributeError, match=r"units\.sql has no query named three"):
        _ = Queries("units.sql", parse(TWO)).three


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- name: one\nSELECT 1\n-- name: one\nSELECT 2", "two queries are named one"),
        ("SELECT 0\n-- name: one\nSELECT 1", "stands under no name"),
        ("SELECT 0", "stands under no name"),
        ("-- name: one\n-- Nothing follows.\n", "one has no statement"),
    ],
)
def test_a_query_file_with_duplicate_or_empty_names_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryFileBroken, match=message):
        parse(text)
