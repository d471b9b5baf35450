"""A remote model as jobs open it, asked in tests."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from google.auth.credentials import AnonymousCredentials, Credentials

from beam_jobs.inserts.patience import Clock
from beam_jobs.prediction.manifest import ModelColumn, ModelManifest
from beam_jobs.prediction.reference import reference_statistics
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec
from tests.support.endpoint_server import DEPLOYED, NAME, EndpointServer

SHA256 = "5" * 64
MANIFEST = ModelManifest(
    name="weights",
    version="v1",
    kind="sklearn",
    artifact="none",
    sha256=SHA256,
    inputs=(ModelColumn(name="weeks", type="float"),),
    outputs=(ModelColumn(name="weight", type="float"),),
    libraries={},
    reference=reference_statistics(pa.table({"weeks": [20.0, 30.0, 40.0]})),
    created_at="2026-01-01T00:00:00+00:00",
)


class FastClock:
    """Time that passes only while somebody sleeps, and seeded chance; for many threads."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(self._now, self._sleep, self._chance.random)

    def _now(self) -> float:
        with self._lock:
            return sum(self.slept)

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)


def remote_model(
    server: EndpointServer,
    clock: Clock | None = None,
    deployed: str | None = DEPLOYED,
    credentials: Credentials | None = None,
    manifest: ModelManifest = MANIFEST,
    **spec: Any,
) -> RemoteModel:
    """The server's model; `spec` is what model.endpoint says of requests."""
    pin = EndpointPin(name=NAME, address=server.address, deployed_model_id=deployed)
    declared = EndpointSpec(name="7", **spec)
    client = EndpointClient(
        pin,
        declared.concurrency,
        declared.timeout_seconds,
        credentials or AnonymousCredentials(),
    )
    return RemoteModel(manifest, pin, declared, client, clock or FastClock().clock)


def weeks(values: Sequence[float]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.float64())], ["weeks"])
