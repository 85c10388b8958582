"""The decisions in `ops/adr`: one form for all, numbered without a gap, and each in the list."""

import re
from pathlib import Path

import pytest

ADR = Path(__file__).parents[2] / "ops" / "adr"
PAGES = sorted(page for page in ADR.glob("*.md") if page.name != "README.md")
SECTIONS = ["Status", "Context", "Decision", "Measured", "Consequences", "Alternatives that were rejected"]


def title(page: Path) -> str:
    """Return the title of a decision without its number."""
    return page.read_text(encoding="utf-8").partition("\n")[0].partition(". ")[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_has_the_sections_of_its_form_in_order(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert found in (SECTIONS, [section for section in SECTIONS if section != "Measured"])
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.search(r"^## Status\n(Accepted|Superseded), \d{4}-\d{2}\.", text, re.MULTILINE)


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_the_list_names_every_decision_by_its_title() -> None:
    listed = re.findall(r"^\| \[(\d+)\]\(([^)]+)\) \| (.+) \|$", (ADR / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [(str(int(page.name[:4])), page.name, title(page)) for page in PAGES]
