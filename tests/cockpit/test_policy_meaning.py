"""Every field of a policy says what it means, in one place that the form, the OpenAPI document and the reference read."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from projections.cockpit.policy_form import Field, leaves, submitted_value
from service.domain.events import QuotaPolicy
from service.domain.policy import Policy
from tests.cockpit.person import Person

REFERENCE = Path(__file__).parents[2] / "ops" / "reference"
FIELDS = {kind.__name__: list(leaves(kind())) for kind in (Policy, QuotaPolicy)}
NAMED = [(kind, field) for kind, fields in FIELDS.items() for field in fields]


def schema_at(schemas: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    """Return the schema of one field, found through the parts that the document refers to."""
    schema: dict[str, Any] = schemas[kind]
    for name in path.split("."):
        schema = schema["properties"][name]
        reference = schema.get("$ref")
        schema = schemas[reference.rpartition("/")[2]] if reference else schema
    return schema


@pytest.mark.parametrize(("kind", "field"), NAMED, ids=[f"{kind}.{field.name}" for kind, field in NAMED])
def test_a_field_has_one_meaning_in_the_form_the_document_and_the_reference(kind: str, field: Field) -> None:
    """B-CAMP-3, B-QUOTA-1: whoever adds a field without `Meta(description=…)` is stopped here."""
    assert field.meaning.endswith(".")
    schemas = msgspec.json.decode((REFERENCE / "openapi.json").read_bytes())["components"]["schemas"]
    assert schema_at(schemas, kind, field.name)["description"] == field.meaning
    assert f"| `{field.name}` |" in (REFERENCE / "policies.md").read_text(encoding="utf-8")
    assert f"| {field.meaning} |" in (REFERENCE / "policies.md").read_text(encoding="utf-8")


async def test_the_form_shows_the_meaning_of_every_field(person: Person) -> None:
    """B-CAMP-3."""
    await person.campaign(quota="q")
    campaign, quota = await person.see("/campaigns/nightly?edit=1"), await person.see("/quotas/q")
    assert [field.name for field in FIELDS["Policy"] if field.meaning not in campaign] == []
    assert [field.name for field in FIELDS["QuotaPolicy"] if field.meaning not in quota] == []


class Optional(Struct):
    """Numbers that may be absent, annotated in either place."""

    outside: Annotated[int | None, Meta(description="Outside.")] = None
    inside: Annotated[float, Meta(gt=0, le=9, description="Inside.")] | None = None


def test_a_number_that_may_be_absent_has_its_limits_and_its_meaning_too() -> None:
    outside, inside = leaves(Optional())
    assert (outside.kind, outside.whole, outside.value, outside.meaning) == ("number", True, None, "Outside.")
    assert (inside.least, inside.above, inside.most, inside.whole, inside.meaning) == (0, True, 9, False, "Inside.")
    assert submitted_value(inside, "") is None
