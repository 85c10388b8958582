"""What a family counts, said once more and apart from the service: as SQL over the log, and over the events of the API."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

Labels = tuple[str, ...]


class Total(Struct, frozen=True):
    """What one series says: how often, and of a histogram the microseconds or numbers together."""

    count: int = 0
    total: int = 0

    def plus(self, count: int, total: int) -> "Total":
        """Return both together."""
        return Total(self.count + count, self.total + total)


class Term(Struct, frozen=True):
    """Events of some *kinds* that count under *labels*.

    A label is a column, `.field` of the payload, `@field` of an item, `#field` for the length of a list, `~field` for the
    seconds since the instant in a field, `'text'` for itself, or `a|b`: a where it is there, else b. *where* holds pairs of
    such a label and the values it may have, *without* those it may not. *each* counts the items of a list instead of the
    event, *size* their number. *observed* is a field in seconds (of another unit with its *scale*), less *less*.
    """

    kinds: str
    labels: Labels = ()
    where: tuple[tuple[str, tuple[str | None, ...]], ...] = ()
    without: tuple[tuple[str, tuple[str | None, ...]], ...] = ()
    each: str = ""
    size: str = ""
    observed: str = ""
    scale: int = 1_000_000
    less: int = 0

    def sql(self) -> str:
        """Return a query of label values, count and total."""
        labels = [column(label, self.each) for label in self.labels]
        amount = f"jsonb_array_length(e.data -> '{self.size}')" if self.size else "1"
        seen = f"round(({column(self.observed, '')})::numeric * {self.scale}) - {self.less}" if self.observed else "0"
        conditions = [f"e.kind IN ({', '.join(map(quoted, self.kinds.split()))})"]
        conditions += [condition(field, values, self.each) for field, values in self.where]
        conditions += [f"NOT {condition(field, values, self.each)}" for field, values in self.without]
        lateral = f" CROSS JOIN LATERAL jsonb_array_elements(e.data -> '{self.each}') AS item" if self.each else ""
        chosen = ", ".join([*labels, f"sum({amount})::bigint", f"sum({seen})::bigint"])
        grouped = f" GROUP BY {', '.join(map(str, range(1, len(labels) + 1)))}" if labels else " HAVING count(*) > 0"
        return f"SELECT {chosen} FROM log AS e{lateral} WHERE {' AND '.join(conditions)}{grouped}"

    def count(self, event: dict[str, Any]) -> Iterator[tuple[Labels, int, int]]:
        """Yield what one event of the API adds."""
        if event["kind"] not in self.kinds.split():
            return
        for item in event["data"].get(self.each, ()) if self.each else (None,):
            fits = all(value(event, field, item) in values for field, values in self.where)
            if fits and not any(value(event, field, item) in values for field, values in self.without):
                amount = len(event["data"][self.size]) if self.size else 1
                seen = round(float(value(event, self.observed, None) or 0) * self.scale) - self.less if self.observed else 0
                yield tuple(str(value(event, label, item)) for label in self.labels), amount, seen


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def column(label: str, each: str) -> str:
    """Return a label as an expression of SQL."""
    first, _, other = label.partition("|")
    if other:
        return f"coalesce({column(first, each)}, {column(other, each)})"
    if first.startswith("'"):
        return quoted(first.strip("'"))
    if first.startswith("."):
        return f"(e.data ->> '{first[1:]}')"
    if first.startswith("#"):
        return f"jsonb_array_length(e.data -> '{first[1:]}')::text"
    if first.startswith("~"):
        return f"extract(epoch FROM e.recorded_at - (e.data ->> '{first[1:]}')::timestamptz)"
    return f"(item ->> '{first[1:]}')" if first.startswith("@") else f"e.{first}"


def condition(field: str, values: tuple[str | None, ...], each: str) -> str:
    """Return that a field has one of some values."""
    known = ", ".join(quoted(one) for one in values if one is not None)
    parts = [f"{column(field, each)} IN ({known})"] if known else []
    parts += [f"{column(field, each)} IS NULL"] if None in values else []
    return f"coalesce({' OR '.join(parts)}, false)"


def value(event: dict[str, Any], label: str, item: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return a label of an event as text, as Postgres writes it."""
    first, _, other = label.partition("|")
    found: Any
    if first.startswith("'"):
        found = first.strip("'")
    elif first.startswith("."):
        found = event["data"].get(first[1:])
    elif first.startswith("#"):
        found = len(event["data"][first[1:]])
    elif first.startswith("~"):
        found = elapsed(event["recorded_at"], event["data"].get(first[1:]))
    else:
        found = item.get(first[1:]) if first.startswith("@") else event.get(first)
    if found is None and other:
        return value(event, other, item)
    if isinstance(found, bool):
        return "true" if found else "false"
    return None if found is None else str(found)


def elapsed(at: str, since: str | None) -> float | None:
    """Return the seconds between two instants, None when one is not known."""
    return None if since is None else (datetime.fromisoformat(at) - datetime.fromisoformat(since)).total_seconds()


def over(events: Iterable[dict[str, Any]], families: dict[str, tuple[Term, ...]]) -> dict[str, dict[Labels, Total]]:
    """Return every series of *families* as the events of the API say it."""
    found: dict[str, dict[Labels, Total]] = {name: defaultdict(Total) for name in families}
    for event in events:
        for name, terms in families.items():
            for term in terms:
                for labels, count, total in term.count(event):
                    found[name][labels] = found[name][labels].plus(count, total)
    return found
