"""`muster events --follow`: nothing lost, nothing twice, through a restart of the service."""

import json
import signal
import subprocess
import sys
import time

import pytest

from service.client.event_stream import EventStreamParser, StreamedEvent
from tests.patience import PATIENCE_S
from tests.service import Program, free_port, post
from tests.terminal.conftest import QUICK

KIND = "campaign.created"


def create_campaign(url: str, name: str) -> None:
    """Create a campaign."""
    assert post(f"{url}/v1/campaigns", {"name": name}).status_code == 201


def test_a_follower_survives_a_restart_of_the_service(dsn: str) -> None:
    words = ("serve", "--dsn", dsn, "--port", str(free_port()))
    with Program(*words, **QUICK) as first:
        url = first.url()
        follower = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "events", "--follow", "--json", "--after", "0", "--kind", KIND, "--url", url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert follower.stdout is not None
        create_campaign(url, "one")
        lines = [follower.stdout.readline()]
        first.stop()
    with Program(*words, **QUICK) as second:
        create_campaign(second.url(), "two")
        create_campaign(url, "three")
        lines += [follower.stdout.readline(), follower.stdout.readline()]
        follower.send_signal(signal.SIGINT)
        rest, stderr = follower.communicate(timeout=PATIENCE_S)
    assert [json.loads(line)["campaign"] for line in lines] == ["one", "two", "three"]
    assert rest == ""
    assert "trying again" in stderr
    assert "the service is back" in stderr
    assert follower.returncode == 130


def test_events_are_parsed_wherever_the_bytes_are_cut() -> None:
    text = b': hello\nretry: 1000\n\nid: 7\nevent: a\ndata: {"a":"\xe2\x80\xa8"}\n\n: keep-alive\n\nid: 9\nevent: b\ndata: {}\n\n'
    for cut in range(len(text)):
        parser = EventStreamParser()
        events = [*parser.feed(text[:cut]), *parser.feed(text[cut:])]
        assert events == [StreamedEvent(7, b'{"a":"\xe2\x80\xa8"}'), StreamedEvent(9, b"{}")]


@pytest.mark.parametrize(
    "text",
    [
        b'id: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\n',
        b'data:{"a":\ndata:1}\nid:7\n\n',
        b'id: 7\n: a comment\n\nretry: 1000\ndata: {"a":\ndata: 1}\nother\n\n',
    ],
    ids=["CRLF", "without spaces", "with an id from before"],
)
def test_events_are_parsed_in_every_form_that_the_standard_allows(text: bytes) -> None:
    for cut in range(len(text)):
        parser = EventStreamParser()
        assert [*parser.feed(text[:cut]), *parser.feed(text[cut:])] == [StreamedEvent(7, b'{"a":\n1}')]


def test_what_is_no_event_of_the_log_is_passed_over() -> None:
    parser = EventStreamParser()
    text = b"data: {}\n\nid: x\ndata: {}\n\nid: " + b"9" * 5000 + b"\ndata: {}\n\nid: 3\n\nid: 4\ndata: {}\n\nid: 5\ndata: {"
    assert parser.feed(text) == [StreamedEvent(4, b"{}")]


def test_a_long_event_costs_time_by_its_length_alone() -> None:
    """A parser that begins again with every part took 1.6 s for 8 MiB, and four times as long for twice the length."""
    parser = EventStreamParser()
    started = time.process_time()
    parser.feed(b"id: 1\ndata: ")
    for _ in range(2048):
        parser.feed(b"x" * 16384)
    (event,) = parser.feed(b"\n\n")
    assert len(event.text) == 2048 * 16384
    assert time.process_time() - started < 10
