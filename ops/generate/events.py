"""Write tests/contract/golden/events.json, the schema of every event; `--check` only compares.

A kind or a field may be added. One that was there stays, with everything that it could hold: the log is full of it.
"""

import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from service.store.log.codec import READABLE

TARGET = Path(__file__).parents[2] / "tests" / "contract" / "golden" / "events.json"

Fields = dict[str, list[str]]
Schemas = dict[str, Fields]


def schemas() -> Schemas:
    """Return kind or name of a part → field → what it may hold, of every event and of every structure inside one."""
    found = {f"{kind} v{event.schema}": event for kind, event in READABLE.items()}
    parts: dict[str, type[Struct]] = {}
    drawn = {kind: fields(event, parts) for kind, event in sorted(found.items())}
    waiting = dict(parts)
    while waiting:
        name, part = waiting.popitem()
        known = set(parts)
        drawn[name] = fields(part, parts)
        waiting |= {new: parts[new] for new in sorted(set(parts) - known)}
    return drawn


def fields(struct: type[Struct], parts: dict[str, type[Struct]]) -> Fields:
    """Return each field of *struct* under its name in JSON; structures that it holds join *parts*."""
    return {
        field.encode_name: sorted(alternatives(field.type, parts)) + ([] if field.required else ["(may be absent)"])
        for field in msgspec.structs.fields(struct)
    }


def alternatives(kind: Any, parts: dict[str, type[Struct]]) -> set[str]:  # noqa: ANN401, PLR0911 - one return a kind of type
    """Return what a value of *kind* may be, in words."""
    if isinstance(kind, NewType):
        return alternatives(kind.__supertype__, parts)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {repr(value) for value in inner}
    if origin is Annotated:
        return alternatives(inner[0], parts)
    if origin in (Union, UnionType):
        return {word for one in inner for word in alternatives(one, parts)}
    if origin is not None:
        held = [" or ".join(sorted(alternatives(one, parts))) for one in inner if one is not ...]
        return {f"{origin.__name__} of {', '.join(held)}"}
    if kind is NoneType:
        return {"null"}
    if isinstance(kind, type) and issubclass(kind, Struct):
        parts[kind.__name__] = kind
    return {kind.__name__}


def lost(old: Schemas, new: Schemas) -> list[str]:
    """Return what *old* promised and *new* no longer keeps."""
    return [
        f"{kind}: {field} no longer holds {word}" if field in new.get(kind, {}) else f"{kind}: {field} is gone"
        for kind, promised in old.items()
        for field, words in promised.items()
        for word in words
        if word not in new.get(kind, {}).get(field, [])
    ]


def golden() -> Schemas:
    """Return the schemas as they were promised."""
    return msgspec.json.decode(TARGET.read_bytes(), type=Schemas) if TARGET.exists() else {}


def main() -> None:
    """Write or check the file; a promise that is no longer kept is written by nobody."""
    new = schemas()
    if broken := lost(golden(), new):
        sys.exit("\n".join(["an event lost what the log holds; give it a new kind or schema instead:", *sorted(set(broken))]))
    if "--check" in sys.argv[1:]:
        sys.exit(0 if golden() == new else "stale, run `make generate`: events.json")
    text = msgspec.json.format(msgspec.json.encode(new), indent=2).decode() + "\n"
    if golden() != new:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        print("written: tests/contract/golden/events.json")


if __name__ == "__main__":
    main()
