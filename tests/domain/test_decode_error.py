"""Decoding errors: the field, the sentence, and the one rule for 400 and 422."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from service.domain.content.json_limits import Misfit
from service.domain.decode_error import END, Located, located, refusal
from service.domain.rejections import Unprocessable, Validation


class Wheel(Struct, forbid_unknown_fields=True):
    """A struct inside a list."""

    size: Annotated[int, Meta(ge=1, le=9)] = 1
    colour: Literal["red", "blue"] = "red"
    names: dict[Annotated[str, Meta(min_length=1)], int] = {}

    def __post_init__(self) -> None:
        """Refuse what the types allow."""
        if self.size == 5:
            raise Misfit("size", "must not be 5", too_large=4)


class Car(Struct, forbid_unknown_fields=True):
    """A struct with one required field."""

    plate: Annotated[str, Meta(pattern="^[a-z]+$" + END)]
    wheels: list[Wheel] = []


def error_of(document: Any) -> msgspec.ValidationError:  # noqa: ANN401 - any JSON
    """Return the error of decoding *document* as a car."""
    with pytest.raises(msgspec.ValidationError) as failure:
        msgspec.convert(document, Car)
    return failure.value


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], Located(None, "Expected `object`, got `array`", "Expected `object`, got `array`")),
        ({}, Located("plate", "Object missing required field `plate`")),
        ({"plate": "a", "age": 1}, Located("age", "Object contains unknown field `age`")),
        (
            {"plate": "a\n"},
            Located("plate", text := "Expected `str` matching regex '^[a-z]+$'", text, beyond_limits=True),
        ),
        (
            {"plate": "a", "wheels": [{}, {"size": 10}]},
            Located("wheels[1].size", "Expected `int` <= 9", "Expected `int` <= 9", beyond_limits=True),
        ),
        (
            {"plate": "a", "wheels": [{"colour": "grey"}]},
            Located("wheels[0].colour", "Invalid enum value 'grey'", ["blue", "red"], beyond_limits=True),
        ),
        (
            {"plate": "a", "wheels": [{"colour": 1}]},
            Located("wheels[0].colour", "Expected `str`, got `int`", ["blue", "red"]),
        ),
        (
            {"plate": "a", "wheels": [{"names": {"": 1}}]},
            Located("wheels[0].names", text := "Expected `str` of length >= 1", text, beyond_limits=True),
        ),
        ({"plate": "a", "wheels": [{"size": 5}]}, Located("wheels[0].size", "must not be 5", too_large=4)),
    ],
    ids=["root", "missing", "unknown", "pattern", "limit", "word", "type of a word", "key", "misfit"],
)
def test_an_error_names_its_field_its_sentence_and_what_is_allowed(document: object, place: Located) -> None:
    assert located(error_of(document), Car) == place
    inside = located(error_of(document), Car, "reports[3]")
    assert inside.field == ("reports[3]" if place.field is None else f"reports[3].{place.field}")
    assert inside.detail == f"{inside.field}: {place.text}"


def test_only_domain_limits_make_a_value_unprocessable() -> None:
    """B-CAMP-3: a policy says `Unprocessable` for its limits; a shape is 400 everywhere."""
    beyond, misshapen = error_of({"plate": "9"}), error_of({"plate": 9})
    assert type(refusal(beyond, Car)) is Validation
    assert type(refusal(beyond, Car, beyond_limits=Unprocessable)) is Unprocessable
    assert type(refusal(misshapen, Car, beyond_limits=Unprocessable)) is Validation
    assert type(refusal(error_of({}), Car, beyond_limits=Unprocessable)) is Validation
