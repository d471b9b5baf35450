"""Sends a request for predictions until it is answered, or it is known who is to blame."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from beam_jobs.inserts.patience import Clock, wait_before
from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.remote.answers import (
    ReorderedError,
    WrongAnswerError,
    checked_outputs,
    read_answer,
    stray_answer,
)
from beam_jobs.prediction.remote.client import DEPLOYED_MODEL_ID, EndpointClient, Reply
from beam_jobs.prediction.remote.failures import (
    Failure,
    Kind,
    failure_of_exception,
    failure_of_status,
)
from beam_jobs.prediction.remote.instances import Instances, request_body
from beam_jobs.prediction.remote.throttle import Throttle
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec

_LOG = logging.getLogger(__name__)


_FURTHER_OF_SEVERAL = 1
"""How often a request is sent again whose halves are sent anyway if that does not help."""


class Answer(NamedTuple):
    """Predictions that are certain to be those of their instances."""

    outputs: pa.RecordBatch
    deployed_model_id: str | None
    model_version: str | None
    """Where the container tells it."""


class Tally:
    """Counts what the threads sent, until somebody takes the numbers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._retries = 0

    def note(self, retry: int) -> None:
        """One request; retry: how often it was sent before."""
        with self._lock:
            self._requests += 1
            self._retries += retry > 0

    def taken(self) -> tuple[int, int]:
        """Requests, and retries among them, since the last time."""
        with self._lock:
            taken = self._requests, self._retries
            self._requests = self._retries = 0
        return taken


@dataclass
class Sender:
    """Sends the requests of many threads to one endpoint."""

    client: EndpointClient
    outputs: Sequence[ModelColumn]
    pin: EndpointPin
    sha256: str
    """Of the pinned model."""
    spec: EndpointSpec
    throttle: Throttle
    clock: Clock
    tally: Tally = field(default_factory=Tally)

    def send(self, instances: Instances, patience_seconds: float) -> Answer | Failure:
        """The answer, or the failure after which it makes no sense to send the request again.

        patience_seconds: how long it is repeated while the endpoint is busy.
        """
        body = request_body(instances)
        most = self.spec.most_bytes
        if len(body) > most:
            return Failure(Kind.REFUSED, f"{len(body):,} bytes; a request holds {most:,}")
        keys = instances.column("key").to_pylist()
        until = self.clock.now() + patience_seconds
        for retry in itertools.count():
            self.throttle.admit()
            outcome = self._try(body, keys)
            self.tally.note(retry)
            self.throttle.note(isinstance(outcome, Failure) and outcome.kind is Kind.BUSY)
            if isinstance(outcome, Answer):
                return outcome
            wait = wait_before(retry, self.clock.chance(), outcome.retry_after)
            if not self._is_sent_again(outcome, retry, len(keys), until - wait):
                return outcome
            _LOG.warning("%s: %s. Trying again in %.1f s", self.pin.name, outcome.message, wait)
            self.throttle.wait(wait)
        raise AssertionError("counting has no end")

    def _is_sent_again(self, failure: Failure, retry: int, instances: int, latest: float) -> bool:
        match failure.kind:
            case Kind.BUSY:
                return self.clock.now() < latest
            case Kind.BROKEN if instances > 1:
                return retry < _FURTHER_OF_SEVERAL
            case Kind.BROKEN | Kind.ASTRAY:
                return retry + 1 < self.spec.max_attempts
            case _:
                return False

    def _try(self, body: bytes, keys: list[int]) -> Answer | Failure:
        try:
            reply = self.client.predict(body)
        except Exception as error:
            failure = failure_of_exception(error)
            if failure is None:
                raise
            return failure
        if reply.status != 200:
            return failure_of_status(*reply)
        try:
            return self._read(reply, keys)
        except ReorderedError as error:
            return Failure(Kind.ASTRAY, str(error), remedy="see what the container answers")
        except WrongAnswerError as error:
            return Failure(Kind.BROKEN, str(error))

    def _read(self, reply: Reply, keys: list[int]) -> Answer | Failure:
        """Raises WrongAnswerError."""
        predictions, model = read_answer(reply.body)
        deployed = reply.headers.get(DEPLOYED_MODEL_ID)
        stray = stray_answer(self.pin, self.sha256, deployed, model)
        if stray is not None:
            return stray
        return Answer(checked_outputs(predictions, keys, self.outputs), deployed, model.version)
