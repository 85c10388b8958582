"""The guides of the repository say what is true of its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("README.md", "ops/ARCHITECTURE.md", "ops/CONTRIBUTING.md", "ops/glossary.md")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub writes them.

    >>> anchors("## A claim, and its caps")
    {'a-claim-and-its-caps'}
    """
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in HEADING.findall(page)}


def part(page: str, heading: str) -> str:
    """Return the text under one heading of the second level."""
    return page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_of_a_guide_leads_to_a_file_and_a_heading(guide: str) -> None:
    page = ROOT / guide
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert links
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{guide} links to {path}"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{guide} links to {path}#{anchor}"


def test_every_file_on_the_path_of_a_heartbeat_mentions_it() -> None:
    page = ROOT / "ops" / "ARCHITECTURE.md"
    files = [path for path, _ in LINK.findall(part(page.read_text(encoding="utf-8"), "The road of a heartbeat"))]
    assert len(files) > 20
    silent = [path for path in files if "heartbeat" not in (page.parent / path).read_text(encoding="utf-8").lower()]
    assert not silent


@pytest.mark.parametrize("folder", ["service", "projections", "migrations", "grafana", "tests", "ops"])
def test_the_layout_of_the_readme_names_every_folder(folder: str) -> None:
    layout = part((ROOT / "README.md").read_text(encoding="utf-8"), "Layout")
    assert f"`{folder}/" in layout
    if folder in ("tests", "ops"):
        rooms = {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}
        assert rooms <= set(re.findall(rf"`{folder}/(\w+)", layout))
