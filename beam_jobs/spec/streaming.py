"""How a service answers requests as they arrive."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal
from beam_jobs.spec.lifecycle import LifecycleSpec
from beam_jobs.spec.sources import CsvFormat, JsonFormat

Seconds = Annotated[float, Constrained(gt=0, le=24 * 60 * 60)]


def _pubsub_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._~%+-]{2,254}", name) or name.startswith("goog"):
        raise Refusal(
            f"{name!r} is no name that Pub/Sub takes",
            "use 3 to 255 letters, digits and - . _ ~ + %, the first a letter, not starting with "
            "goog; the project is the environment's",
        )
    return name


PubSubName = Annotated[str, AfterValidator(_pubsub_name)]


class FoundIn(Declared):
    """Where a value of a request is found: the attribute is looked at first, then the field."""

    attribute: str | None = None
    """Attribute of the message."""
    field: str | None = None
    """Field of the contract."""


class MicroBatchSpec(Declared):
    """How many requests are scored, and written, together at most."""

    rows: Annotated[int, Constrained(ge=1, le=10_000)] = 1_000
    bytes: Annotated[int, Constrained(ge=1_024, le=8 * 1024 * 1024)] = 1024 * 1024
    """Of payload; a single larger request is a micro-batch of its own."""
    wait_milliseconds: Annotated[int, Constrained(ge=0, le=10_000)] = 20
    """How long a micro-batch that is not full waits for other requests under way."""


class StreamingSpec(Declared):
    """The streaming job: requests from Pub/Sub, predictions to BigQuery."""

    topic: PubSubName
    """Where requests are published."""
    subscription: PubSubName
    """What the job reads; nobody else may read it."""
    response_topic: PubSubName | None = None
    """Where each request is answered, for callers who wait."""
    payload: Annotated[CsvFormat | JsonFormat, Constrained(discriminator="type")] = JsonFormat(
        type="json"
    )
    """What a message holds: one JSON object, or any number of CSV lines without a header."""
    request_id: FoundIn = FoundIn()
    """What names a request, in up to 1,024 bytes; an attribute of several CSV lines names each
    `<attribute>-<place>`. Where nothing is found, or it is empty, the name is
    `<message id>-<place>`, places from 0. A longer field makes the request a dead letter."""
    event_time: FoundIn = FoundIn()
    """When it happened: ISO 8601, or epoch milliseconds, in the years 1 to 9999; anything else
    makes the request a dead letter. Where nothing is found, or it is empty, it happened when it
    was published."""
    batch: MicroBatchSpec = MicroBatchSpec()
    model_timeout_seconds: Seconds = 60
    """A model call that takes longer is given up with its worker; the requests come again."""
    max_attempts: Annotated[int, Constrained(ge=1, le=20)] = 3
    """So often may a single request hang the model before it is a dead letter."""
    write_retry_seconds: Seconds = 600
    """How long a write that fails for a passing reason is repeated before its rows are looked at
    one by one."""
    workers: Annotated[int, Constrained(ge=1, le=1_000)] = 1
    max_workers: Annotated[int, Constrained(ge=1, le=4_000)] = 3
    machine_type: str | None = None
    lifecycle: LifecycleSpec = LifecycleSpec()
    """How the job is kept, upgraded and judged."""

    @model_validator(mode="after")
    def _messages_are_no_files(self) -> Self:
        payload = self.payload
        if isinstance(payload, CsvFormat) and payload.header:
            raise Refusal(
                "payload.header is true, but messages have no header line",
                "set header: false; the columns are the contract's fields, in their order",
            )
        if isinstance(payload, CsvFormat) and payload.newlines_in_values:
            raise Refusal(
                "payload.newlines_in_values: every line of a message is a request",
                "drop it, or send JSON",
            )
        if payload.compression == "gzip":
            raise Refusal("payload.compression: messages are not unpacked", "drop it")
        if payload.extra_columns == "fail":
            raise Refusal(
                "payload.extra_columns is fail, but no message may stop the streaming job",
                "drop it: what the contract does not name is ignored",
            )
        if self.response_topic == self.topic:
            raise Refusal(
                f"topic and response_topic are both {self.topic!r}: answers would be requests",
                "name two topics",
            )
        return self
