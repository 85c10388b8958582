"""A double of the service: hands out units, writes down reports, goes away when told to."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from typing_extensions import override

PATIENCE_S = 20.0

Said = dict[str, Any]
Judge = Callable[[Said], Said]


def agreed(_: Said) -> Said:
    """Accept whatever is reported."""
    return {"ok": True}


class Server(ThreadingHTTPServer):
    """A server whose clients may be killed."""

    @override
    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class ServiceDouble:
    """What a worker sees of the service, scripted by the test."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.units: list[Said] = []
        self.reports: list[Said] = []
        self.asks: list[Said] = []
        self.away = False
        self.campaign: Said = {"state": "running", "outcome": None}
        self.judge: Judge = agreed
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
        """Return where the double listens."""
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

    def said(self, kind: str, key: str = "") -> list[Said]:
        """Return the reports of *kind* about unit *key*."""
        return [said for said in self.reports if said["type"] == kind and said.get("token", "") in ("", f"token-{key}")]

    def wait(self, kind: str, key: str = "", times: int = 1) -> Said:
        """Wait until *kind* was said of unit *key* so many times; return the last one."""
        return self.wait_until(lambda: len(self.said(kind, key)) >= times) and self.said(kind, key)[-1]

    def wait_until(self, reached: Callable[[], Any]) -> Any:  # noqa: ANN401  (whatever the test asks for)
        """Wait until *reached* returns something true, and return it."""
        with self.changed:
            assert self.changed.wait_for(reached, PATIENCE_S), f"not within {PATIENCE_S} s; heard {self.reports}"
            return reached()

    def claim(self, ask: Said) -> Said:
        """Hand out units, waiting for them as long as *ask* says."""
        with self.changed:
            self.asks.append(ask)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.units or self.away, ask["wait_s"])
            given, self.units = self.units[: ask["max"]], self.units[ask["max"] :]
            return {"claims": given, "position": 1, "blocked": []}

    def hear(self, batch: Said) -> Said:
        """Write down what is reported, and judge it."""
        with self.changed:
            said = [report | {"worker": batch["worker"]} for report in batch["reports"]]
            verdicts = [self.judge(report) for report in said]
            self.reports += said
            self.changed.notify_all()
            return {"results": verdicts, "position": 1}


def handler_of(double: ServiceDouble) -> type[BaseHTTPRequestHandler]:
    """Make the request handler that asks *double* for every answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.answer(200, {"name": "c"} | double.campaign)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if double.away:
                self.close_connection = True
            elif double.refusal and self.path == double.refusal[1]:
                self.answer(double.refusal[0], {"title": "refused", "status": double.refusal[0]})
            else:
                self.answer(200, double.claim(body) if self.path == "/v1/claims" else double.hear(body))

        def answer(self, status: int, answer: Said) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
