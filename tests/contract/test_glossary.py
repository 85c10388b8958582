"""The glossary and the names of classes and modules use the same nouns."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ops" / "glossary.md").read_text(encoding="utf-8")
IN_NAMES, _, IN_CONTRACT = PAGE.partition("\n## Words of the contract\n")
ROW = re.compile(r"^\| ([a-z][a-z -]*[a-z]) \| (.+) \|$", re.MULTILINE)
PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
ACTIONS = """
    add allow apply block cancel clear close complete conclude confirm create decide decline decode deregister detect
    disconnect drain edit elect end expire fail found grant judge load lock note notify observe open pause prefetch produce
    rebuilt record redact refuse register release render reopen replay request resize resubmit resume revoke run schedule
    serve skip start stop style swap swept tick touch trim trip unblock unpark unskip update upload use verify wake work write
"""
"""Verbs that name orders and, as participles, facts and conditions; the noun beside each is in the glossary."""
ORDINARY = """
    repeated
    action another app asset at audit away bar body broken bundler cached change code column config content count database db
    description detail details diff difference due duration empty entry env error example exit fan field file filter forbidden
    forged form format formatting handler head header health html http id identity in internal item json key large late lazy
    limit line link list literal located loop loose main many meaning membership message method misfit missing name new node
    not number on operation option origin os out output over parameter parser partial path payload placeholder plot poll
    precondition problem protocol query raw reader reason recent remote renewal reply response rest result root round route
    runner sample scale sender server service shared size spec stale status success summary supervisor surrounding table taken
    text too top total trie type unauthenticated unavailable undelivered unknown unobserved unprocessable unreadable up url
    user validation value verdict visible whole
"""
"""Words that mean here what they mean everywhere, in English or in Python."""


def words(name: str) -> tuple[str, ...]:
    """Return the words of a class or module name.

    >>> words("HTTPSender"), words("read_set")
    (('http', 'sender'), ('read', 'set'))
    """
    return tuple(part.lower() for part in PART.findall(name))


def forms(word: str) -> Iterator[str]:
    """Yield *word*, and what it may be the plural, participle or gerund of.

    >>> "quota" in forms("quotas"), "retry" in forms("retries"), "trip" in forms("tripped"), "claim" in forms("claiming")
    (True, True, True, True)
    """
    yield word
    for ending, instead in (
        ("ies", "y"),
        ("ied", "y"),
        ("es", ""),
        ("s", ""),
        ("ed", ""),
        ("ed", "e"),
        ("ing", ""),
        ("ing", "e"),
    ):
        if word.endswith(ending):
            stem = word.removesuffix(ending) + instead
            yield stem
            if len(stem) > 2 and stem[-1] == stem[-2]:
                yield stem[:-1]


def names() -> Iterator[str]:
    """Yield the name of every class, module and package of service and projections."""
    for path in chain((ROOT / "service").rglob("*.py"), (ROOT / "projections").rglob("*.py")):
        yield path.parent.name if path.stem == "__init__" else path.stem
        yield from (node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef))


NAMES = sorted({name for name in names() if not name.startswith("__")} - {"service", "projections"})
ENTRIES = [term for term, _ in ROW.findall(IN_NAMES)]
CONTRACT = [term for term, _ in ROW.findall(IN_CONTRACT)]
DEFINED = {word for term in (*ENTRIES, *CONTRACT) for word in words(term)}


def test_every_noun_of_a_class_or_module_name_is_in_the_glossary() -> None:
    known = {*DEFINED, *ACTIONS.split(), *ORDINARY.split()}
    strange = {word: name for name in NAMES for word in words(name) if known.isdisjoint(forms(word))}
    assert not strange, "define these nouns in ops/glossary.md, or find a word that is there"


@pytest.mark.parametrize("term", ENTRIES)
def test_every_word_of_the_glossary_is_in_a_class_or_module_name(term: str) -> None:
    expected = words(term)
    spelled = [words(name) for name in NAMES]
    assert any(
        all(expected[at] in forms(parts[start + at]) for at in range(len(expected)))
        for parts in spelled
        for start in range(len(parts) - len(expected) + 1)
    ), "no class or module has it: remove it, or move it to the words of the contract"


@pytest.mark.parametrize("term", CONTRACT)
def test_every_word_of_the_contract_is_in_the_contract(term: str) -> None:
    pages = [path.read_text(encoding="utf-8").lower() for path in (ROOT / "ops" / "spec").glob("*.md")]
    assert any(re.search(rf"\b{term}", page) for page in pages)


def test_the_glossary_has_each_word_once_in_the_order_of_the_alphabet() -> None:
    assert sorted(set(ENTRIES)) == ENTRIES
    assert sorted(set(CONTRACT)) == CONTRACT
    assert not set(ENTRIES) & set(CONTRACT)
