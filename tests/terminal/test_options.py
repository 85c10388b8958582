"""Times in options: every command reads them by one rule."""

from datetime import UTC, datetime, timedelta

import click
import pytest

from service.cli.option import instant_of, past_of, step_of

CONTEXT, OPTION = click.Context(click.Command("muster")), click.Option(["--from"])


@pytest.mark.parametrize("text", ["2026-01-31T14:30", "2026-01-31T14:30+05:00", "2026-01-31"])
def test_a_time_is_the_same_wherever_it_is_typed(text: str) -> None:
    """It is in the viewer's zone unless it names one."""
    meant = datetime.fromisoformat(text).astimezone(UTC)
    assert past_of(CONTEXT, OPTION, text) == meant
    assert instant_of(CONTEXT, OPTION, text) == meant.isoformat().replace("+00:00", "Z")


def test_a_duration_is_a_future_time_or_a_step() -> None:
    soon = instant_of(CONTEXT, OPTION, "90s")
    assert soon is not None
    ahead = datetime.fromisoformat(soon) - datetime.now(UTC)
    assert timedelta(seconds=60) < ahead <= timedelta(seconds=90)
    assert step_of(CONTEXT, OPTION, "1.5m") == timedelta(seconds=90)


def test_a_text_that_is_no_time_is_refused() -> None:
    for text in ("yesterday", "", "9999-12-31T23:59-14:00", "99999999d", f"{'9' * 40}d"):
        for read in (instant_of, past_of):
            with pytest.raises(click.BadParameter, match="no time such as"):
                read(CONTEXT, OPTION, text)
    for text in ("0s", "1", "-1m", f"{'9' * 40}d"):
        with pytest.raises(click.BadParameter, match="no span such as"):
            step_of(CONTEXT, OPTION, text)
