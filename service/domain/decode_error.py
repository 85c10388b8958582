"""Decoding errors of msgspec, read once: which field is wrong, what is wrong with it, and what it may hold.

msgspec tells all of it in the text of its error, as ``Expected `int` <= 10 - at `$.policy.max_attempts` ``.
"""

import re
from typing import Any, NamedTuple

import msgspec

from service.domain.content.json_limits import Misfit
from service.domain.content.literal_values import choices
from service.domain.rejections import Rejection, Validation

END = r"(?!\n)"
"""What a pattern of ours adds behind its `$` for Python, where `$` also matches before a last newline; no reader is shown it."""
QUOTED_END = repr(END)[1:-1]
PATH = re.compile(r"^(.*?)(?: - at (?:`key` in )?`\$(.*)`)?$", re.DOTALL)
MEMBER = re.compile(r"(?:unknown|required) field `([^`]+)`")
WRONG_TYPE = ", got `"


class Located(NamedTuple):
    """What a decoding error says: *allowed* is a list of words or a sentence, *too_large* the limit in bytes that was passed.

    *beyond_limits* means that the field is known and its value has the right type; only its limits forbid the value.
    """

    field: str | None
    text: str
    allowed: Any = None
    beyond_limits: bool = False
    too_large: int | None = None

    @property
    def detail(self) -> str:
        """The sentence for a person."""
        return f"{self.field}: {self.text}" if self.field else self.text


def located(error: msgspec.ValidationError, kind: object, within: str = "") -> Located:
    """Return the field that *error*, of a decoder of *kind*, is about; *within* is the place of the document in its request.

    >>> try:
    ...     msgspec.convert([1, "a"], list[int])
    ... except msgspec.ValidationError as error:
    ...     located(error, list[int], "numbers").detail
    'numbers[1]: Expected `int`, got `str`'
    """
    text, path = PATH.match(str(error).replace(QUOTED_END, "")).groups("")  # type: ignore[union-attr]  # it matches every text
    misfit = error.__cause__ if isinstance(error.__cause__, Misfit) else None
    member = MEMBER.search(text)
    name = misfit.field if misfit else member[1] if member else ""
    field = (within + path + (f".{name}" if name else "")).removeprefix(".") or None
    if misfit or member:
        return Located(field, text, too_large=misfit.too_large if misfit else None)
    return Located(field, text, choices(kind, path) or text, beyond_limits=WRONG_TYPE not in text)


def refusal(
    error: msgspec.ValidationError, kind: object, within: str = "", beyond_limits: type[Rejection] = Validation
) -> Rejection:
    """Return the answer to *error*: the one rule for 400 and 422.

    A field that is unknown, missing or of the wrong type breaks the shape of a request: 400, always. So does a value beyond the
    limits of its field, unless those limits are a rule of the domain, as in a policy: its caller says `Unprocessable`, 422.
    """
    place = located(error, kind, within)
    answer = beyond_limits if place.beyond_limits else Validation
    return answer(place.detail, field=place.field, allowed=place.allowed)
