"""A prediction container by Vertex's contract, as small as can be: a prediction is an instance's
`x`, twice.

`python -m tests.support.tiny_container` honours AIP_HTTP_PORT, AIP_HEALTH_ROUTE and
AIP_PREDICT_ROUTE. Variables make it moody: DELAY (seconds before it is healthy), BROKEN (it prints
that word and ends), NEVER_HEALTHY, MARK (told beside the predictions). It dies of an instance that
is "die", answers 500 for "poison", and waits a second for "slow", once it has touched ARRIVED.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_TOLD = ("AIP_STORAGE_URI", "AIP_ENDPOINT_ID", "AIP_DEPLOYED_MODEL_ID", "AIP_MODEL_NAME")


class Server(ThreadingHTTPServer):
    """Connections that are idle do not keep it from ending, requests under way do."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self.under_way: queue.Queue[Handler] = queue.Queue()
        super().__init__(*arguments)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet

    def do_GET(self) -> None:
        healthy = self.path == os.environ["AIP_HEALTH_ROUTE"] and not os.environ.get(
            "NEVER_HEALTHY"
        )
        self._answer(200 if healthy else 503, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != os.environ["AIP_PREDICT_ROUTE"]:
            self._answer(404, {"error": f"no route {self.path}"})
            return
        self.server.under_way.put(self)
        self._predict(json.loads(body)["instances"])
        self.wfile.flush()
        self.server.under_way.task_done()

    def _predict(self, instances: list[Any]) -> None:
        if "die" in instances:
            os._exit(3)
        if "slow" in instances:
            Path(os.environ["ARRIVED"]).touch()
            time.sleep(1)
        if "poison" in instances:
            self._answer(500, {"error": "poison"})
            return
        predictions = [{"twice": 2 * instance["x"]} for instance in instances if instance != "slow"]
        keys = [instance.get("id") for instance in instances if instance != "slow"]
        self._answer(200, {"predictions": predictions, "keys": keys, "told": _told()})

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Its output is for its own words."""


def _told() -> dict[str, str]:
    told = (*_TOLD, "MARK", "STORAGE_EMULATOR_HOST")
    return {name: os.environ[name] for name in told if name in os.environ} | {
        "arguments": " ".join(sys.argv[1:])
    }


def main() -> None:
    if broken := os.environ.get("BROKEN"):
        sys.exit(broken)
    time.sleep(float(os.environ.get("DELAY", "0")))
    address = ("127.0.0.1", int(os.environ["AIP_HTTP_PORT"]))
    with Server(address, Handler) as server:
        stop = threading.Thread(target=server.shutdown)
        signal.signal(signal.SIGTERM, lambda *_: stop.start())
        server.serve_forever(poll_interval=0.05)
        server.under_way.join()


if __name__ == "__main__":
    main()
