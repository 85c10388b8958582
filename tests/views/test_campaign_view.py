"""What the campaign's card says, and when it keeps silent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.throughput import Throughput
from projections.views.campaign.view import CampaignView, campaign_view
from projections.views.quota.card import QuotaCard
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.policy import Policy

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
THROUGHPUT = Throughput(clock_us=100_000_000, minutes=[[0, 6], [1, 4]])
QUOTA = ids.QuotaKey("anthropic")


def shown(quota: QuotaCard | None = None, **fields: Any) -> CampaignView:  # noqa: ANN401 - fields of a card
    """Return the view of a campaign with *fields*."""
    base: dict[str, Any] = {
        "name": ids.CampaignName("nightly"), "title": "Nightly", "policy": Policy(), "labels": {}, "auto": True, "quota": QUOTA,
        "brief": None, "brief_rev": 0, "deadline": None, "created_at": AT,
    }  # fmt: skip
    return campaign_view(CampaignCard(**(base | fields)), quota, AT)


def test_the_eta_is_what_is_left_over_the_throughput() -> None:
    """B-VIEW-1."""
    seen = shown(throughput=THROUGHPUT, counts=Counts(ready=3, running=2, done=10))
    assert (seen.throughput_per_hour, seen.eta_s, seen.eta) == (360.0, 50.0, AT + timedelta(seconds=50))


@pytest.mark.parametrize(
    "fields",
    [
        {"counts": Counts(ready=5, done=2)},
        {"throughput": THROUGHPUT, "counts": Counts(done=10)},
        {"throughput": THROUGHPUT, "counts": Counts(parked=5, done=10)},
        {"throughput": THROUGHPUT, "counts": Counts(blocked=5, done=10)},
        {"throughput": THROUGHPUT, "counts": Counts(ready=5, done=10), "paused_at": AT},
        {"throughput": THROUGHPUT, "counts": Counts(ready=5, done=10), "tripped": 7},
        {
            "throughput": THROUGHPUT,
            "counts": Counts(ready=5, done=10),
            "gate": QuotaCard(key=QUOTA, reason="rate_limit", closed_at=AT),
        },
        {"throughput": THROUGHPUT, "counts": Counts(ready=5, done=10), "cancelled_at": AT},
        {"throughput": Throughput(clock_us=10**18, minutes=[[0, 5]]), "counts": Counts(ready=10**6)},
    ],
)
def test_the_eta_is_absent_rather_than_wrong(fields: dict[str, Any]) -> None:
    """B-VIEW-1."""
    seen = shown(fields.pop("gate", None), **fields)
    assert (seen.eta, seen.eta_s) == (None, None)


@pytest.mark.parametrize(
    ("gate", "fields", "line"),
    [
        (None, {}, None),
        (QuotaCard(key=QUOTA), {}, None),
        (QuotaCard(key=QUOTA, reason="auth", closed_at=AT), {}, None),
        (
            QuotaCard(key=QUOTA, reason="rate_limit", closed_at=AT, resume_at=AT.replace(hour=14, minute=30)),
            {},
            "quota exhausted · auto-resume ~14:30",
        ),
        (QuotaCard(key=QUOTA, reason="rate_limit", closed_at=AT), {}, "quota exhausted"),
        (None, {"resume_at": AT.replace(hour=9, minute=5)}, "quota exhausted · auto-resume ~09:05"),
        (None, {"resume_at": AT, "cancelled_at": AT}, None),
    ],
)
def test_the_quota_line_says_when_work_goes_on(gate: QuotaCard | None, fields: dict[str, Any], line: str | None) -> None:
    """B-PARK-4."""
    assert shown(gate, **fields).quota_line == line


def test_a_tripped_breaker_says_how_many_failed() -> None:
    """B-BREAK-6."""
    assert shown(tripped=9, fails=3, consecutive=0).breaker.line == "Auto paused · 3 fails"
    assert shown(consecutive=2).breaker.line is None


def test_an_empty_campaign_has_made_no_progress() -> None:
    assert shown().progress == 0
    assert shown(counts=Counts(done=1, quarantined=3)).progress == 0.25


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "running"),
        ({"paused_at": AT}, "paused"),
        ({"paused_at": AT, "completed_at": AT}, "completed"),
        ({"completed_at": AT, "cancelled_at": AT}, "cancelled"),
    ],
)
def test_one_word_says_what_a_campaign_does(fields: dict[str, Any], state: str) -> None:
    """B-CAMP-2."""
    assert shown(**fields).state == state
