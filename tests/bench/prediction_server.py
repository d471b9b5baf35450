"""The prediction server: its throughput on large requests, its latency on single instances."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
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
    this process: JSON to columns to predictions, nothing else. Taken in turns, medians of both."""
    model = open_served(str(workshop.model_folder))
    body = _request(_BATCH_ROWS)
    with _connected(workshop) as call:
        for work in (lambda: call(body), lambda: _by_hand(body, model)):
            work()
        rounds = [
            (_seconds(lambda: call(body)), _seconds(lambda: _by_hand(body, model)))
            for _ in range(_ROUNDS // 4 if workshop.quick else _ROUNDS)
        ]
    served, by_hand = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return Result(
        name=f"prediction server, instances/s of {_BATCH_ROWS:,} a request / by hand",
        value=by_hand / served,
        unit="x",
        target=0.8,
        at_least=True,
        details={
            "server_instances_per_s": _BATCH_ROWS / served,
            "by_hand_instances_per_s": _BATCH_ROWS / by_hand,
        },
    )


def measure_latency(workshop: Workshop) -> Result:
    """From a single instance sent to its prediction received, by a client with one connection."""
    bodies = [_request(1, first) for first in range(100)]
    count = _SINGLE_REQUESTS // 10 if workshop.quick else _SINGLE_REQUESTS
    with _connected(workshop) as call:
        times = [_seconds(lambda n=n: call(bodies[n % 100])) for n in range(_WARM_UP + count)]
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
def _connected(workshop: Workshop) -> Iterator[Callable[[bytes], bytes]]:
    """Sends a request to a server of its own, and gives its answer."""
    with TemporaryDirectory() as folder:
        server = PredictionServer(str(workshop.model_folder), Path(folder) / "log").start()
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc)

        def call(body: bytes) -> bytes:
            connection.request("POST", server.predict_route, body)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {answer.decode()}")
            return answer

        try:
            yield call
        finally:
            connection.close()
            server.end()


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
