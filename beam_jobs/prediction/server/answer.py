"""The answer to one request: a pure function of its bytes and the model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.scoring import Predicted, predict_rows
from beam_jobs.prediction.server.encoding import json_objects
from beam_jobs.prediction.server.features import features_of
from beam_jobs.prediction.server.problems import Problem, RefusedRequest, refused
from beam_jobs.prediction.server.request import PredictRequest, parse_request
from beam_jobs.prediction.typical import scores_a_typical_row

_MAX_CALLS = 64
"""Calls of the model that it may cost to find the instances it fails on."""


class Answer(NamedTuple):
    body: bytes
    """`{"predictions": [{<output>: value, …}, …], "model": {"name", "version", "sha256"}}`."""
    instances: int


def answer(body: bytes, model: Model) -> Answer:
    """The predictions of all instances, in their order.

    Raises RefusedRequest: 400 where the request or its instances are to blame, 500 where the model
    is.
    """
    request = parse_request(body)
    _check_key(request, model.manifest)
    features = features_of(request, model.manifest.inputs)
    outputs = _predictions(model, features)
    columns = dict(zip(outputs.schema.names, outputs.columns, strict=True))
    if request.key is not None:
        keys = [instance[request.key] for instance in request.instances]
        columns = {request.key: keys, **columns}
    rows = features.num_rows
    parts = json_objects(columns, rows), orjson.dumps(described(model.manifest))
    return Answer(b'{"predictions":%b,"model":%b}' % parts, rows)


def described(manifest: ModelManifest) -> dict[str, str]:
    """Which model it is."""
    return {"name": manifest.name, "version": manifest.version, "sha256": manifest.sha256}


def _check_key(request: PredictRequest, manifest: ModelManifest) -> None:
    if request.key in {column.name for column in manifest.outputs}:
        raise refused(
            400,
            f"parameters.key is {request.key!r}, an output of the model",
            "give the key's field another name",
        )


def _predictions(model: Model, features: pa.RecordBatch) -> pa.RecordBatch:
    """All outputs, finite. Raises RefusedRequest that names the instances without."""
    predicted = predict_rows(model, features, _MAX_CALLS)
    problems = [
        *_failed(predicted),
        *(
            problem
            for name in predicted.outputs.schema.names
            for problem in _not_finite(predicted, name)
        ),
    ]
    if not problems:
        return predicted.outputs
    ordered = sorted(problems, key=lambda problem: problem.instance or 0)
    raise RefusedRequest(_status(model, problems, features.num_rows), ordered)


def _status(model: Model, problems: list[Problem], instances: int) -> int:
    """400 where the instances are to blame; 500, worth another try elsewhere, where the model is
    broken and fails on anything."""
    others_scored = len({problem.instance for problem in problems}) < instances
    return 400 if others_scored or scores_a_typical_row(model) else 500


def _failed(predicted: Predicted) -> list[Problem]:
    rows = zip(predicted.failed.indices.tolist(), predicted.failed.messages, strict=True)
    remedy = "send values like those that the model was trained on"
    return [
        Problem(f"the model failed: {_first_line(message)}", remedy, number)
        for number, message in rows
    ]


def _first_line(message: str) -> str:
    """Without the stack that some libraries tell as well."""
    return message.partition("\n")[0]


def _not_finite(predicted: Predicted, output: str) -> list[Problem]:
    column = predicted.outputs.column(output)
    if not pa.types.is_floating(column.type):
        return []
    values = column.to_numpy(zero_copy_only=False)
    places = np.flatnonzero(~np.isfinite(values))
    numbers = places if predicted.indices is None else predicted.indices[places]
    remedy = "send values that the model knows: JSON has no such number"
    return [
        Problem(f"the model predicted {output} = {values[place]}", remedy, number)
        for place, number in zip(places.tolist(), numbers.tolist(), strict=True)
    ]
