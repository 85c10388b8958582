"""The address of every page of the cockpit, derived from its registry: a new page is tested, measured and photographed."""

from projections.cockpit.pages.registry import PAGES
from projections.cockpit.url import address


def parameters(template: str) -> list[str]:
    """Return the names of the path parameters of a template.

    >>> parameters("/campaigns/{name:str}/units/{key:str}")
    ['name', 'key']
    """
    return [part[1:].partition(":")[0] for part in template.split("/") if part.startswith("{")]


def page_addresses(sample: dict[str, str]) -> dict[str, str]:
    """Return an address for the template of every page; *sample* gives a value to each path parameter.

    Raises:
        KeyError: a page has a parameter that *sample* has no value for.

    """
    return {template: address(*path_parts(template, sample)) for template in PAGES}


def path_parts(template: str, sample: dict[str, str]) -> list[str]:
    """Return the parts of a path, parameters replaced by their values in *sample*."""
    parts = [part for part in template.split("/") if part]
    return [sample[part[1:].partition(":")[0]] if part.startswith("{") else part for part in parts]
