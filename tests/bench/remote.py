"""Remote prediction: rows per second by a local endpoint, which is the prediction server itself."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import numpy as np
import orjson
import pyarrow as pa
from google.auth.credentials import AnonymousCredentials

from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec
from examples.babyweight.births import load_births
from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.prediction_server import PredictionServer

_NAME = "projects/p/locations/r/endpoints/7"
_ROUTE = f"/v1/{_NAME}:rawPredict"
_ROWS = 262_144
_SINGLE_ROWS = 1_000
_ROUNDS = 5
_WARM_UP_ROWS = 20_000


def measure_batching(workshop: Workshop) -> Result:
    """Batches in requests of the default size, several at a time, against a request per row."""
    with _endpoint(workshop) as server:
        many, single = _features(workshop, _ROWS), _features(workshop, _SINGLE_ROWS)
        by_batch = _model(workshop, server)
        by_row = _model(workshop, server, most_instances=1, concurrency=1)
        by_batch.score(many.slice(0, _WARM_UP_ROWS))
        by_row.score(single.slice(0, 50))
        batched = many.num_rows / _seconds(lambda: by_batch.score(many))
        single_rows = single.num_rows / _seconds(lambda: by_row.score(single))
    return Result(
        name="endpoint, rows/s in batches / one request per row",
        value=batched / single_rows,
        unit="x",
        target=30,
        at_least=True,
        details={"batched_rows_per_s": batched, "single_rows_per_s": single_rows},
    )


def measure_client(workshop: Workshop) -> Result:
    """Against a plain asyncio client: the same rows in requests of the same size, as many at a
    time, encoded and decoded by orjson, nothing checked. They take turns; medians."""
    spec = EndpointSpec(name="7")
    rounds = []
    with _endpoint(workshop) as server:
        features = _features(workshop, _ROWS)
        model = _model(workshop, server)

        def plain() -> None:
            asyncio.run(_plain_client(server.url + _ROUTE, features, spec))

        model.score(features.slice(0, _WARM_UP_ROWS))
        for _ in range(2 if workshop.quick else _ROUNDS):
            rounds.append((_seconds(lambda: model.score(features)), _seconds(plain)))
    ours, theirs = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return Result(
        name="endpoint, rows/s / plain asyncio client",
        value=theirs / ours,
        unit="x",
        target=0.6,
        at_least=True,
        details={
            "rows_per_s": features.num_rows / ours,
            "plain_rows_per_s": features.num_rows / theirs,
        },
    )


async def _plain_client(url: str, features: pa.RecordBatch, spec: EndpointSpec) -> list[Any]:
    places = asyncio.Semaphore(spec.concurrency)

    async def predictions(session: aiohttp.ClientSession, rows: pa.RecordBatch) -> list[Any]:
        async with places:
            body = orjson.dumps({"instances": rows.to_pylist()})
            async with session.post(url, data=body) as response:
                response.raise_for_status()
                answered: list[Any] = orjson.loads(await response.read())["predictions"]
                return answered

    async with aiohttp.ClientSession() as session:
        size = spec.most_instances
        parts = [features.slice(start, size) for start in range(0, features.num_rows, size)]
        answers = await asyncio.gather(*(predictions(session, part) for part in parts))
    return [prediction for answer in answers for prediction in answer]


@contextmanager
def _endpoint(workshop: Workshop) -> Iterator[PredictionServer]:
    with TemporaryDirectory() as folder:
        variables = {"AIP_PREDICT_ROUTE": _ROUTE, "NIGHTSTREAM_THREADS": "1"}
        server = PredictionServer(str(workshop.model_folder), Path(folder) / "log", **variables)
        try:
            yield server.start()
        finally:
            server.end()


def _model(workshop: Workshop, server: PredictionServer, **asked: int) -> RemoteModel:
    spec = EndpointSpec.model_validate({"name": "7", **asked})
    pin = EndpointPin(name=_NAME, address=server.url)
    client = EndpointClient(pin, spec.concurrency, spec.timeout_seconds, AnonymousCredentials())
    return RemoteModel(workshop.model[0], pin, spec, client)


def _features(workshop: Workshop, full: int) -> pa.RecordBatch:
    births = load_births()
    chosen = births.take(np.arange(workshop.rows(full)) % len(births))
    inputs = workshop.model[0].inputs
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in inputs])
    names = [column.name for column in inputs]
    return pa.RecordBatch.from_pandas(chosen[names], schema, preserve_index=False)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
