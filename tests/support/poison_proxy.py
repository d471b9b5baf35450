"""An HTTP server before the local cloud that fails requests by what is in them."""

from __future__ import annotations

import math
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POISON = b"poison"


class PoisonProxy(ThreadingHTTPServer):
    """Answers 503 to bodies that hold POISON; the others go to `target`, and its answers back."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.failures: float = math.inf
        """How many more requests it fails."""
        self.failing_path = ""
        """What the path of a request that it fails contains."""
        self.headers_of_503: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece
    server: PoisonProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        if POISON in body and server.failures > 0 and server.failing_path in self.path:
            server.failures -= 1
            self._answer(503, b"{}", server.headers_of_503)
        else:
            request = urllib.request.Request(server.target + self.path, body)
            request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=60) as answer:
                self._answer(answer.status, answer.read(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read no access log."""


@contextmanager
def poison_proxy(target: str) -> Iterator[PoisonProxy]:
    with PoisonProxy(target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
