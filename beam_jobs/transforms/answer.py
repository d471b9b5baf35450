"""Answers for callers who wait for their predictions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage

from beam_jobs.transforms.elements import ScoredRequests

REQUEST_ID, STATUS = "request_id", "status"
"""Attributes of an answer."""
SCORED, DEAD_LETTER = "scored", "dead_letter"
"""What its status may be."""

_REASON = ("error_code", "error_field", "error_message")


class Answer(beam.DoFn):
    """ScoredRequests → a message per request, once its row is written.

    A JSON object: `request_id`, `status`, and either the model's outputs by name, `model_version`
    and `scored_at`, or `error_code`, `error_field` and `error_message`. A float that is not finite
    is the string that BigQuery takes for it.
    """

    def process(self, batch: ScoredRequests) -> Iterator[PubsubMessage]:
        names = batch.source.identity.column("request_id")
        scored_at = batch.scored_at.isoformat()
        scored = names.take(batch.positions).to_pylist()
        predictions = zip(batch.outputs.to_pylist(), batch.model_versions.to_pylist(), strict=True)
        for name, (outputs, version) in zip(scored, predictions, strict=True):
            about = {"model_version": version, "scored_at": scored_at}
            yield _message(name, SCORED, {**_written(outputs), **about})
        dead = names.take(batch.dead.column("position")).to_pylist()
        for name, reason in zip(dead, batch.dead.select(_REASON).to_pylist(), strict=True):
            yield _message(name, DEAD_LETTER, reason)


def _message(name: str, status: str, content: dict[str, Any]) -> PubsubMessage:
    body = json.dumps({REQUEST_ID: name, STATUS: status, **content})
    return PubsubMessage(body.encode(), {REQUEST_ID: name, STATUS: status})


def _written(outputs: dict[str, Any]) -> dict[str, Any]:
    return {name: _finite(value) for name, value in outputs.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
