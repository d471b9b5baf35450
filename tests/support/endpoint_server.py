"""A Vertex AI endpoint as a real HTTP server of this process: rawPredict of a tiny model, weight =
weeks / 5 unless told otherwise, that misbehaves as a test says."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "projects/nightstream-test/locations/us-central1/endpoints/7"
DEPLOYED = "4711"
Instance = dict[str, Any]


@dataclass
class Answer:
    """What the server is about to send."""

    status: int
    body: Any
    """Bytes as they are, anything else as JSON (with NaN, which is none)."""
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[[Sequence[Instance], Answer], Answer]
"""Makes the answer to those instances another one."""


@dataclass
class EndpointServer:
    """What it does may be changed at any time; `requests` are the instances it was sent."""

    faults: list[Fault] = field(default_factory=list)
    deployed: str = DEPLOYED
    model: dict[str, str] = field(default_factory=dict)
    """What the container says of itself."""
    token: str | None = None
    """The only one that is taken; None: any."""
    predict: Callable[[Sequence[Instance]], list[dict[str, Any]]] = lambda instances: [
        {"weight": instance["weeks"] / 5} for instance in instances
    ]
    requests: list[list[Instance]] = field(default_factory=list)
    most_at_a_time: int = 0
    largest_request: int = 0
    """Bytes."""
    address: str = ""
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, authorization: str, body: bytes) -> Answer:
        if path != f"/v1/{NAME}:rawPredict":
            return google_error(404, "NOT_FOUND", f"no such path: {path}")
        if self.token is not None and authorization != f"Bearer {self.token}":
            return google_error(401, "UNAUTHENTICATED", "token expired")
        request = json.loads(body)
        instances, key = request["instances"], request.get("parameters", {}).get("key")
        with self._lock:
            self.requests.append(instances)
            self.largest_request = max(self.largest_request, len(body))
            self._under_way += 1
            self.most_at_a_time = max(self.most_at_a_time, self._under_way)
        try:
            answer = self._predictions(instances, key)
            for fault in self.faults:
                answer = fault(instances, answer)
            return answer
        finally:
            with self._lock:
                self._under_way -= 1

    def _predictions(self, instances: Sequence[Instance], key: str | None) -> Answer:
        keys = [{key: instance[key]} if key else {} for instance in instances]
        outputs = self.predict(instances)
        rows = [{**name, **output} for name, output in zip(keys, outputs, strict=True)]
        headers = {"x-vertex-ai-endpoint-id": "7", "x-vertex-ai-deployed-model-id": self.deployed}
        body = {"predictions": rows, **({"model": self.model} if self.model else {})}
        return Answer(200, body, headers)


def google_error(status: int, name: str, message: str, **headers: str) -> Answer:
    """An error as Google's services write it."""
    error = {"code": status, "message": message, "status": name}
    return Answer(status, {"error": error}, {k.replace("_", "-"): v for k, v in headers.items()})


def sometimes(rate: float, answers: Sequence[Answer], seed: int = 0) -> Fault:
    """One of those answers instead, at that rate."""
    chance = random.Random(seed)
    return lambda _, answer: chance.choice(answers) if chance.random() < rate else answer


def always(instead: Answer) -> Fault:
    return lambda _, __: instead


def poisoned(value: float, instead: Answer) -> Fault:
    """That answer where one of the instances has that value."""
    return lambda instances, answer: instead if _have(instances, value) else answer


def hanging(value: float, seconds: float) -> Fault:
    """No answer for so long where one of the instances has that value."""

    def hang(instances: Sequence[Instance], answer: Answer) -> Answer:
        if _have(instances, value):
            time.sleep(seconds)
        return answer

    return hang


def from_request(number: int, fault: Fault) -> Fault:
    """The fault begins with the request of that number, from 0."""
    counter = itertools.count()
    return lambda instances, answer: fault(instances, answer) if next(counter) >= number else answer


def _have(instances: Sequence[Instance], value: float) -> bool:
    names = {name for instance in instances[:1] for name in instance} - {"#"}
    return any(instance[name] == value for instance in instances for name in names)


def changed(change: Callable[[list[Any]], list[Any]]) -> Fault:
    """Other predictions."""
    return lambda _, answer: Answer(
        200, {**answer.body, "predictions": change(answer.body["predictions"])}, answer.headers
    )


@contextmanager
def endpoint_server(server: EndpointServer) -> Iterator[EndpointServer]:
    """The server on a free port, until the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = server.answer(self.path, self.headers.get("Authorization", ""), body)
            content = answer.body
            if not isinstance(content, bytes):
                content = json.dumps(content).encode()
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what went wrong is told by the test."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.address = f"http://localhost:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
