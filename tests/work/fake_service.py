"""A fake service: grants units, records reports, and goes away when a test says so."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from typing_extensions import override

from tests.patience import PATIENCE_S

Json = dict[str, Any]
VerdictOf = Callable[[Json], Json]


def accept(_: Json) -> Json:
    """Accept a report."""
    return {"ok": True}


class Server(ThreadingHTTPServer):
    """A server whose clients may be killed."""

    @override
    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class FakeService:
    """The endpoints that a worker calls, answered as the test says."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.units: list[Json] = []
        self.reports: list[Json] = []
        self.claim_requests: list[Json] = []
        self.away = False
        self.campaign: Json = {"state": "running", "outcome": None}
        self.verdict_of: VerdictOf = accept
        self.refusal: tuple[int, str] | None = None
        self._server = Server(("127.0.0.1", 0), handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return the address of the fake service."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, key: str, **claim: object) -> None:
        """Make a unit claimable."""
        with self.changed:
            self.units.append({"key": key, "token": f"token-{key}", "campaign": "c", "attempt": 1, "payload": {}} | claim)
            self.changed.notify_all()

    def set_away(self, *, away: bool) -> None:
        """Drop every connection from now on, or answer again."""
        with self.changed:
            self.away = away
            self.changed.notify_all()

    def reports_of(self, kind: str, key: str = "") -> list[Json]:
        """Return the reports of *kind* about unit *key*."""
        return [report for report in self.reports if report["type"] == kind and report.get("token", "") in ("", f"token-{key}")]

    def wait(self, kind: str, key: str = "", times: int = 1) -> Json:
        """Wait until there are *times* reports of *kind* about unit *key*; return the last one."""
        return self.wait_until(lambda: len(self.reports_of(kind, key)) >= times) and self.reports_of(kind, key)[-1]

    def wait_until(self, reached: Callable[[], Any]) -> Any:  # noqa: ANN401  (whatever the test asks for)
        """Wait until *reached* returns something true, and return it."""
        with self.changed:
            assert self.changed.wait_for(reached, PATIENCE_S), f"not within {PATIENCE_S} s; received {self.reports}"
            return reached()

    def claim(self, request: Json) -> Json:
        """Grant units, waiting for them as long as *request* says."""
        with self.changed:
            self.claim_requests.append(request)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.units or self.away, request["wait_s"])
            granted, self.units = self.units[: request["max"]], self.units[request["max"] :]
            return {"claims": granted, "position": 1, "blocked": []}

    def take_reports(self, batch: Json) -> Json:
        """Record the reports of a batch and return a verdict on each."""
        with self.changed:
            reports = [report | {"worker": batch["worker"]} for report in batch["reports"]]
            verdicts = [self.verdict_of(report) for report in reports]
            self.reports += reports
            self.changed.notify_all()
            return {"results": verdicts, "position": 1}


def handler_of(service: FakeService) -> type[BaseHTTPRequestHandler]:
    """Return a request handler that takes every answer from *service*."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.answer(200, {"name": "c"} | service.campaign)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if service.away:
                self.close_connection = True
            elif service.refusal and self.path == service.refusal[1]:
                self.answer(service.refusal[0], {"title": "refused", "status": service.refusal[0]})
            else:
                self.answer(200, service.claim(body) if self.path == "/v1/claims" else service.take_reports(body))

        def answer(self, status: int, answer: Json) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
