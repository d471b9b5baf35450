"""Whether an answer holds the predictions that were asked for: nothing is joined to its rows
unless count, keys, types and numbers are right."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.models import OUTPUT_TYPES
from beam_jobs.prediction.remote.failures import Failure, Kind, excerpt
from beam_jobs.prediction.remote.instances import KEY
from beam_jobs.runs.plan import EndpointPin

_NUMBERS = frozenset({int, float})
_JSON_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": _NUMBERS,
    "float": _NUMBERS,
    "boolean": frozenset({bool}),
}


class WrongAnswerError(Exception):
    """An answer that is not the one that was asked for; nothing of it can be used."""


class ReorderedError(WrongAnswerError):
    """The predictions are those of other instances, or in another order: no instance's fault."""


class ServedBy(NamedTuple):
    """The model as the container describes it; None where it does not."""

    version: str | None = None
    sha256: str | None = None


class ReadAnswer(NamedTuple):
    predictions: list[Any]
    model: ServedBy


def read_answer(body: bytes) -> ReadAnswer:
    """An answer that has the form of one. Raises WrongAnswerError."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WrongAnswerError(f"the answer is no JSON ({error}): {excerpt(body)}") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("predictions"), list):
        raise WrongAnswerError(f"the answer holds no list of predictions: {excerpt(body)}")
    return ReadAnswer(answer["predictions"], _served_by(answer.get("model")))


def checked_outputs(
    predictions: list[Any], keys: Sequence[int], outputs: Sequence[ModelColumn]
) -> pa.RecordBatch:
    """A column per output and a row per instance, in the order of the request.

    A prediction is the output itself where there is but one, an object by output name, or a list
    in the manifest's order. Raises WrongAnswerError.
    """
    if len(predictions) != len(keys):
        raise WrongAnswerError(
            f"{len(predictions)} predictions for {len(keys)} instances: which is whose is unknown"
        )
    _check_keys(predictions, keys)
    columns = _columns(predictions, [output.name for output in outputs])
    arrays = [_typed(*pair) for pair in zip(columns, outputs, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, [output.name for output in outputs])


def stray_answer(
    pin: EndpointPin, sha256: str, deployed_model_id: str | None, model: ServedBy
) -> Failure | None:
    """The failure that it is when another model answers than the one that a night has pinned.

    sha256: of the pinned model's artifact.
    """
    if pin.deployed_model_id is None:
        return None
    if deployed_model_id == pin.deployed_model_id and model.sha256 in (None, sha256):
        return None
    return Failure(
        Kind.DENIED,
        f"deployed model {deployed_model_id} answers (version {model.version}), pinned is "
        f"{pin.deployed_model_id}: a night is scored by one model",
        remedy="give the pinned model all traffic of the endpoint, or run the night again, which "
        "pins the model that has it then",
    )


def _served_by(model: Any) -> ServedBy:
    """Vertex AI's own `predict` has the model's resource name there: no description."""
    if not isinstance(model, dict):
        return ServedBy()
    version, sha256 = (model.get(name) for name in ServedBy._fields)
    return ServedBy(version if isinstance(version, str) else None, sha256)


def _check_keys(predictions: list[Any], keys: Sequence[int]) -> None:
    """Where the container repeats them; it does so in all predictions or in none."""
    if not isinstance(predictions[0], dict) or KEY not in predictions[0]:
        return
    repeated = [p.get(KEY) if isinstance(p, dict) else None for p in predictions]
    if repeated != list(keys):
        raise ReorderedError("the answer repeats other keys than were sent, or in another order")


def _columns(predictions: list[Any], names: Sequence[str]) -> list[list[Any]]:
    forms = set(map(type, predictions))
    try:
        if forms == {dict}:
            return [list(map(itemgetter(name), predictions)) for name in names]
        if forms == {list} and set(map(len, predictions)) == {len(names)}:
            return [list(map(itemgetter(index), predictions)) for index in range(len(names))]
    except KeyError as error:
        raise WrongAnswerError(f"a prediction lacks {error}") from error
    if len(names) == 1 and not forms & {dict, list}:
        return [predictions]
    raise WrongAnswerError(
        f"a prediction is no object and no list with {', '.join(names)}: {predictions[0]!r:.80}"
    )


def _typed(values: list[Any], output: ModelColumn) -> pa.Array:
    """The values in the type of the output; a whole number may be written as 3.0."""
    kinds = set(map(type, values))
    if kinds - _JSON_TYPES[output.type]:
        named = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise WrongAnswerError(f"{output.name} is {output.type} in the model, found: {named}")
    try:
        column = pa.array(values, pa.float64() if float in kinds else None)
        if float in kinds and not pc.all(pc.is_finite(column)).as_py():
            raise WrongAnswerError(f"a prediction of {output.name} is no finite number")
        return column.cast(OUTPUT_TYPES[output.type])
    except (pa.ArrowInvalid, OverflowError) as error:
        raise WrongAnswerError(f"{output.name} is no {output.type}: {error}") from error
