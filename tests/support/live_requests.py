"""Requests on their way to the model, and a plan to score them by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from beam_jobs.messages.requests import REQUEST_SCHEMA, Requests
from beam_jobs.objects import open_objects
from beam_jobs.rows import GivenPayloads, ValidRows, dead_batch
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import ServedModel, StreamingPlan, build_streaming_plan
from beam_jobs.transforms.elements import ValidBatch
from tests.support.models import Moody, release
from tests.support.specs import a_service, an_environment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_live_plan(folder: Path, **streaming: Any) -> StreamingPlan:
    """The plan of a moody model (see there), with everything in a local folder."""
    models = str(folder / "models")
    manifest = release(models, "v1", open_objects(models), model=Moody())
    pin = ModelPin(uri=f"{models}/v1", version="v1", kind=manifest.kind, sha256=manifest.sha256)
    declared = {"topic": "requests", "subscription": "requests-sub", **streaming}
    plan = build_streaming_plan(a_service(streaming=declared), an_environment(), pin, ())
    return plan.model_copy(update={"root": str(folder / "streaming")})


def point_to(plan: StreamingPlan, version: str, per: float) -> ServedModel:
    """Releases a moody model with weight = weeks / `per` and points the plan's job to it."""
    objects = open_objects(plan.root)
    models = plan.model.uri.rpartition("/")[0]
    manifest = release(models, version, objects, model=Moody(per))
    pin = ModelPin(
        uri=f"{models}/{version}", version=version, kind=manifest.kind, sha256=manifest.sha256
    )
    wanted = ServedModel(revision=plan.model_copy(update={"model": pin}).revision, model=pin)
    objects.put(plan.model_uri, wanted.model_dump_json().encode())
    return wanted


def valid_batch(weeks: Sequence[float], messages: Sequence[str] | None = None) -> ValidBatch:
    """A micro-batch of one request per message; messages are named m0, m1, … unless told."""
    names = messages or [f"m{number}" for number in range(len(weeks))]
    identity = pa.RecordBatch.from_pylist(
        [
            {"request_id": f"r-{name}", "message_id": name, "position": 0, "published_at": NOW}
            for name in names
        ],
        REQUEST_SCHEMA,
    )
    payloads = GivenPayloads(pa.array([name.encode() for name in names], pa.binary()))
    columns = [pa.array(names, pa.string()), pa.array(weeks, pa.float64())]
    rows = ValidRows(
        pa.RecordBatch.from_arrays(columns, ["id", "weeks"]),
        pa.array(range(len(weeks)), pa.int64()),
        payloads,
    )
    return ValidBatch(Requests(identity, payloads), rows, dead_batch(), len(weeks))
