"""From micro-batches of messages to rows that keep the contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import apache_beam as beam

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader, ReadRequests, read_all
from beam_jobs.messages.requests import Requests
from beam_jobs.runs.code import require_code
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.elements import ValidBatch, slices


class ParseMessages(beam.DoFn):
    """MessageBatch → ValidBatch[Requests], of at most as many rows as the model is given at once.

    Fails where the workers' image holds other code than the plan names.
    """

    def __init__(self, plan: StreamingPlan) -> None:
        self._spec = plan.spec
        self._streaming = plan.streaming
        self._code_version = plan.code_version
        self._max_rows = min(plan.streaming.batch.rows, plan.spec.model.batch_rows)

    def setup(self) -> None:
        require_code(self._code_version)
        self._reader = MessageReader(self._spec, self._streaming)

    def process(self, messages: MessageBatch) -> Iterator[ValidBatch[Requests]]:
        for read in read_all(self._reader, messages, datetime.now(UTC)):
            yield from slices(_valid_batch(read), self._max_rows)


def _valid_batch(read: ReadRequests) -> ValidBatch[Requests]:
    rows_in = read.requests.identity.num_rows
    return ValidBatch(read.requests, read.valid, read.dead, rows_in)
