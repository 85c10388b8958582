"""Write ops/reference/policies.md from the types of the policies; `--check` only compares."""

import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from projections.cockpit.policy_form import Field, leaves
from service.domain.events import QuotaPolicy
from service.domain.policy import Policy

TARGET = Path(__file__).parents[1] / "reference" / "policies.md"
HEAD = """# Policies

Generated from `service/domain/policy.py` and `service/domain/events/quota.py` by `make generate`. Every field is optional in a
request and merged over what is there; null gives back the default.
"""
POLICIES: dict[str, Struct] = {"A campaign": Policy(), "A quota": QuotaPolicy()}


def limits(field: Field) -> str:
    """Return what a field may hold."""
    if field.kind == "number":
        bounds = ((">" if field.above else "≥", field.least), ("≤", field.most))
        return ", ".join(f"{sign} {bound:,}" for sign, bound in bounds if bound is not None)
    return {"choice": ", ".join(f"`{choice}`" for choice in field.choices), "switch": "`true`, `false`", "lines": "texts"}[
        field.kind
    ]


def default(field: Field) -> str:
    """Return the default of a field as JSON has it."""
    if field.kind == "switch":
        return f"`{str(field.value).lower()}`"
    if field.kind == "lines":
        return "`[]`"
    return "none" if field.value is None else f"`{field.value}`"


def lines() -> Iterator[str]:
    """Yield the page."""
    yield HEAD
    for title, policy in POLICIES.items():
        yield f"\n## {title}\n\n| field | default | limits | meaning |\n|---|---|---|---|\n"
        for field in leaves(policy):
            yield f"| `{field.name}` | {default(field)} | {limits(field)} | {field.meaning} |\n"


text = "".join(lines())
if "--check" in sys.argv[1:]:
    sys.exit(0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else "stale, run `make generate`: policies.md")
if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    print("written: ops/reference/policies.md")
