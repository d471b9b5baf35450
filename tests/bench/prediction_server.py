"""The prediction server: its throughput on large requests, its latency on single instances."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import urlsplit

import numpy as np
import orjson
import pyarrow as pa

from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.server.opening import open_served
from examples.babyweight.births import FEATURES, load_births
from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.prediction_server import PredictionServer

_BATCH_ROWS = 10_000
"""0.84 MB of JSON, of the 1.5 MB that Vertex AI lets through."""
_ROUNDS = 60
_SINGLE_REQUESTS = 2_000
_WARM_UP = 20


def measure_throughput(workshop: Workshop) -> Result:
    """Instances per second of one client, one request after the other, against the same batch in
    this process: JSON to columns to predictions, nothing else. They take turns, and the medians
    are compared."""
    model = open_served(str(workshop.model_folder))
    body = _request(_BATCH_ROWS)
    rounds = []
    with _server(workshop) as server, _Client(server) as client:
        served, by_hand = partial(client.send, body), partial(_by_hand, body, model)
        served()
        by_hand()
        for _ in range(_ROUNDS // 4 if workshop.quick else _ROUNDS):
            rounds.append((_seconds(served), _seconds(by_hand)))
    served_s, by_hand_s = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return Result(
        name=f"prediction server, instances/s of {_BATCH_ROWS:,} a request / by hand",
        value=by_hand_s / served_s,
        unit="x",
        target=0.8,
        at_least=True,
        details={
            "server_instances_per_s": _BATCH_ROWS / served_s,
            "by_hand_instances_per_s": _BATCH_ROWS / by_hand_s,
        },
    )


def measure_latency(workshop: Workshop) -> Result:
    """From a single instance sent to its prediction received, by a client with one connection."""
    bodies = [_request(1, first) for first in range(100)]
    count = _WARM_UP + (_SINGLE_REQUESTS // 10 if workshop.quick else _SINGLE_REQUESTS)
    with _server(workshop) as server, _Client(server) as client:
        times = [_seconds(partial(client.send, bodies[n % 100])) for n in range(count)]
    milliseconds = np.array(times[_WARM_UP:]) * 1_000
    p50, p99, most = np.percentile(milliseconds, (50, 99, 100))
    return Result(
        name="prediction server, one instance, p99",
        value=float(p99),
        unit="ms",
        target=15,
        details={"p50_ms": float(p50), "max_ms": float(most)},
    )


@contextmanager
def _server(workshop: Workshop) -> Iterator[PredictionServer]:
    with TemporaryDirectory() as folder:
        server = PredictionServer(str(workshop.model_folder), Path(folder) / "log")
        try:
            yield server.start()
        finally:
            server.end()


class _Client:
    """One connection, and as little as possible around it."""

    def __init__(self, server: PredictionServer) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        self._route = server.predict_route

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, body: bytes) -> None:
        """Returns with the predictions. Raises RuntimeError when the answer is none."""
        self._connection.request("POST", self._route, body)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer.decode()}")


def _by_hand(body: bytes, model: Model) -> pa.RecordBatch:
    instances = orjson.loads(body)["instances"]
    schema = pa.schema([(c.name, arrow_type(c.type)) for c in model.manifest.inputs])
    return model.predict(pa.RecordBatch.from_pylist(instances, schema))


def _request(rows: int, first: int = 0) -> bytes:
    births = load_births()[FEATURES]
    chosen = births.take((first + np.arange(rows)) % len(births))
    return orjson.dumps({"instances": chosen.to_dict("records")})


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
