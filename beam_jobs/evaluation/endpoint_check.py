"""Whether a deployed model answers as the same version does here.

Vertex AI routes requests by the traffic split alone, so the same rows are sent until the deployed
model in question has answered them.
"""

from __future__ import annotations

import itertools
import math

import pyarrow as pa

from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.inserts.patience import Clock, wait_before
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.remote.answers import WrongAnswerError, checked_outputs, read_answer
from beam_jobs.prediction.remote.client import DEPLOYED_MODEL_ID, EndpointClient, Reply
from beam_jobs.prediction.remote.failures import (
    Failure,
    Kind,
    failure_of_exception,
    failure_of_status,
)
from beam_jobs.prediction.remote.instances import (
    ENVELOPE_BYTES,
    Instances,
    encode,
    request_body,
    sizes,
)
from beam_jobs.spec.model import MOST_REQUEST_BYTES

TOLERANCE = 1e-6
"""How far an answer may be from the local prediction, relative to it: a server's image may have
other builds of the same libraries."""
_MISSED_BY_CHANCE = 1e-9
_BUSY_S = 120.0


def most_requests(percent: int) -> int:
    """So many requests all pass a deployed model with that share of the traffic by about once in a
    thousand million times."""
    if percent >= 100:
        return 1
    return math.ceil(math.log(_MISSED_BY_CHANCE) / math.log1p(-percent / 100))


def check_endpoint(
    client: EndpointClient,
    model: Model,
    rows: pa.RecordBatch,
    deployed_id: str,
    percent: int,
    clock: Clock | None = None,
) -> int:
    """How many of the rows the deployed model answered as the model does here: all that fit into
    one request.

    rows: such that the model scores. percent: the deployed model's share of the traffic. Raises
    EvaluationError where it answers otherwise, fails, or is not met.
    """
    instances = _first_that_fit(encode(rows, [c.name for c in model.manifest.inputs], 0))
    body, rows = request_body(instances), rows.slice(0, instances.num_rows)
    clock = clock or Clock()
    for _ in range(most_requests(percent)):
        reply = _asked(client, body, clock)
        if reply.headers.get(DEPLOYED_MODEL_ID) == deployed_id:
            _check_reply(reply, model, rows, instances)
            return rows.num_rows
    raise EvaluationError(
        f"deployed model {deployed_id} answered none of {most_requests(percent)} requests, though "
        f"it has {percent} % of the traffic. Remedy: see the traffic split of the endpoint"
    )


def _first_that_fit(instances: Instances) -> Instances:
    """As many as one request takes."""
    room, count = MOST_REQUEST_BYTES - ENVELOPE_BYTES, 0
    for size in sizes(instances).tolist():
        room -= size
        if room < 0:
            break
        count += 1
    if not count:
        raise EvaluationError("the first held-out row is larger than a request may be")
    return instances.slice(0, count)


def _asked(client: EndpointClient, body: bytes, clock: Clock) -> Reply:
    """An answer of whichever model; the endpoint may be busy for a while."""
    deadline = clock.now() + _BUSY_S
    for retry in itertools.count():
        reply, failure = _try(client, body)
        if reply is not None and (failure is None or _is_the_models(reply, failure)):
            return reply
        assert failure is not None
        if failure.kind is not Kind.BUSY or clock.now() > deadline:
            raise EvaluationError(
                f"the endpoint does not answer: {failure.message}. Remedy: "
                f"{failure.remedy or 'see its logs, then clear this task'}"
            )
        clock.sleep(wait_before(retry, clock.chance(), failure.retry_after))
    raise AssertionError("a count has no end")


def _is_the_models(reply: Reply, failure: Failure) -> bool:
    """Whether a deployed model, rather than Vertex AI itself, has refused or failed."""
    return failure.kind is not Kind.BUSY and DEPLOYED_MODEL_ID in reply.headers


def _try(client: EndpointClient, body: bytes) -> tuple[Reply | None, Failure | None]:
    """What came back, if anything did, and the failure that it is."""
    try:
        reply = client.predict(body)
    except Exception as error:
        failure = failure_of_exception(error)
        if failure is None:
            raise
        return None, failure
    if reply.status == 200:
        return reply, None
    return reply, failure_of_status(reply.status, reply.headers, reply.body)


def _check_reply(reply: Reply, model: Model, rows: pa.RecordBatch, instances: Instances) -> None:
    if reply.status != 200:
        failure = failure_of_status(reply.status, reply.headers, reply.body)
        raise EvaluationError(f"the deployed candidate fails: {failure.message}")
    try:
        keys = instances.column("key").to_pylist()
        answered = checked_outputs(
            read_answer(reply.body).predictions, keys, model.manifest.outputs
        )
    except WrongAnswerError as error:
        raise EvaluationError(f"the deployed candidate answers wrongly: {error}") from error
    expected = model.predict(rows)
    for name in expected.schema.names:
        _check_column(name, expected.column(name).to_pylist(), answered.column(name).to_pylist())


def _check_column(name: str, expected: list[object], answered: list[object]) -> None:
    for row, (here, there) in enumerate(zip(expected, answered, strict=True)):
        if not _same(here, there):
            raise EvaluationError(
                f"the deployed candidate answers otherwise than the same version does here: "
                f"{name} of held-out row {row} is {there!r} there and {here!r} here. Remedy: see "
                "that the server's image has the libraries that the model was trained with"
            )


def _same(here: object, there: object) -> bool:
    if isinstance(here, float) and isinstance(there, float):
        return math.isclose(here, there, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return here == there
