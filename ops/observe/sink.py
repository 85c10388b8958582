"""Where Alertmanager's placeholders lead: notifications are kept and shown, runbooks are served."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from typing_extensions import override

RUNBOOKS = Path(__file__).parents[1] / "runbooks"
Notification = dict[str, Any]


class Sink:
    """A webhook receiver on loopback; `POST /<receiver>` is a notification, `GET /runbooks/<page>` a page."""

    def __init__(self, port: int = 0, show: Callable[[str], None] | None = None) -> None:
        self.received: list[tuple[str, Notification]] = []
        self._show = show
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._answers())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def alerts(self, receiver: str) -> list[dict[str, str]]:
        """Return the labels of every alert that *receiver* received."""
        return [alert["labels"] for name, told in list(self.received) if name == receiver for alert in told["alerts"]]

    def keep(self, receiver: str, notification: Notification) -> None:
        """Remember a notification and show it."""
        self.received.append((receiver, notification))
        if self._show is None:
            return
        for alert in notification["alerts"]:
            text = alert["annotations"].get("description", "")
            self._show(f"{receiver:<16} {alert['status']:<8} {alert['labels']['alertname']}: {text}")

    def _answers(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Answers(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                """Keep a notification."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.keep(self.path.strip("/"), json.loads(body))
                self._answer(200, b"")

            def do_GET(self) -> None:
                """Serve a runbook."""
                folder, _, name = self.path.strip("/").partition("/")
                pages = {page.name: page for page in RUNBOOKS.glob("*.md")} if folder == "runbooks" else {}
                if name in pages:
                    self._answer(200, pages[name].read_bytes())
                else:
                    self._answer(404, b"no such page\n")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Answers
