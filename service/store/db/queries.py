"""Named queries: `sql/*.sql` files read into objects with one attribute for each query."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

OPERATIONS: dict[str, str] = {}
"""The file of every statement that was loaded: what a statement is called where its time is shown."""
_NAME = re.compile(r"^-- name: (?P<name>[a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class QueryFileBroken(ValueError):
    """A file of queries that says one thing twice, or something under no name."""


class Queries:
    """The queries of one file: `queries.append` is the text after `-- name: append`."""

    def __init__(self, source: str, texts: Mapping[str, str]) -> None:
        self._source = source
        self._texts = dict(texts)

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query named {name}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Walk over name and text, in the order of the file."""
        return iter(self._texts.items())


def load(name: str, package: str = "service.store") -> Queries:
    """Return the queries of `sql/NAME.sql` inside *package*."""
    source = f"sql/{name}.sql"
    queries = Queries(source, parse(files(package).joinpath(source).read_text(encoding="utf-8"), source))
    OPERATIONS.update((text, name) for _, text in queries)
    return queries


def parse(text: str, source: str = "text") -> dict[str, str]:
    r"""Return each named query of *text*; its name line and comments stay, so that Postgres shows them.

    >>> parse("-- name: one\n-- Why.\nSELECT 1\n")
    {'one': '-- name: one\n-- Why.\nSELECT 1'}

    Raises:
        QueryFileBroken: when a statement stands under no name, or a name has none or two.

    """
    starts = list(_NAME.finditer(text))
    if stray := _statement(text[: starts[0].start()] if starts else text):
        raise QueryFileBroken(f"{source}: {stray!r} stands under no name")
    texts: dict[str, str] = {}
    for start, end in zip(starts, [match.start() for match in starts[1:]] + [len(text)], strict=True):
        name, query = start["name"], text[start.start() : end].strip()
        if name in texts:
            raise QueryFileBroken(f"{source}: two queries are named {name}")
        if not _statement(query):
            raise QueryFileBroken(f"{source}: {name} has no statement")
        texts[name] = query
    return texts


def _statement(text: str) -> str:
    """Return *text* without comment lines and blanks."""
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--"))
