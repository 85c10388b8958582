"""Every page of the cockpit has a sample in each list of pages, so that no page is served untested."""

import pytest

from ops.bench.measurements import pages as bench
from ops.cockpit import camera
from ops.cockpit.addresses import page_addresses, parameters
from projections.cockpit.pages.registry import PAGES, view_of
from projections.cockpit.url import PageUrl
from tests.browser import test_cockpit as browser
from tests.cockpit import test_pages as cockpit

SAMPLES = {"tests/cockpit": cockpit.SAMPLE, "tests/browser and the camera": camera.SAMPLE, "ops/bench": bench.SAMPLE}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_every_page_has_a_sample(sample: dict[str, str]) -> None:
    """A page whose path has a new parameter fails here until the parameter has a value in each list."""
    missing = [template for template in PAGES if not set(parameters(template)) <= sample.keys()]
    assert missing == []


def test_every_list_has_every_page() -> None:
    assert set(cockpit.PAGES) >= set(page_addresses(cockpit.SAMPLE).values())
    assert set(browser.PAGES) >= set(page_addresses(camera.SAMPLE).values())
    assert {path for _, path, _, _ in camera.pictures()} >= set(page_addresses(camera.SAMPLE).values())
    assert len({name for name, _, _, _ in camera.pictures()}) == len(camera.pictures())


@pytest.mark.parametrize("template", PAGES)
def test_the_sample_of_a_page_is_an_address_of_that_page(template: str) -> None:
    """Also with names that need to be quoted."""
    path = page_addresses(cockpit.SAMPLE)[template]
    assert view_of(PageUrl.of(path.encode())) is PAGES[template]
