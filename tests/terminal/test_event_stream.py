"""`muster events --follow`: nothing lost, nothing twice, through a restart of the service."""

import json
import signal
import subprocess
import sys

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
