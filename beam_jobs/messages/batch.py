"""Messages as they came, gathered to micro-batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.pubsub_v1.types import PubsubMessage

from beam_jobs.spec.sources import CsvFormat
from beam_jobs.spec.streaming import StreamingSpec

_unpack = PubsubMessage.pb().FromString


@dataclass(frozen=True)
class MessageBatch:
    """Messages that are read together, in parallel lists."""

    payloads: list[bytes] = field(default_factory=list)
    attributes: list[Mapping[str, str]] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    published_at: list[int] = field(default_factory=list)
    """Microseconds since the epoch."""

    def __len__(self) -> int:
        return len(self.payloads)

    @property
    def nbytes(self) -> int:
        """Of payload."""
        return sum(map(len, self.payloads))

    def part(self, start: int, stop: int) -> MessageBatch:
        """Messages [start, stop)."""
        return MessageBatch(
            self.payloads[start:stop],
            self.attributes[start:stop],
            self.message_ids[start:stop],
            self.published_at[start:stop],
        )


class Collector:
    """Gathers messages until a micro-batch is full."""

    def __init__(self, spec: StreamingSpec) -> None:
        self._max_rows = spec.batch.rows
        self._max_bytes = spec.batch.bytes
        self._lines = isinstance(spec.payload, CsvFormat)
        self._start()

    def add(self, serialized: bytes) -> MessageBatch | None:
        """Takes a serialised PubsubMessage; answers what was gathered before if it does not fit."""
        message = _unpack(serialized)
        payload = message.data
        rows = payload.count(b"\n") + 1 if self._lines else 1
        full = self._rows + rows > self._max_rows or self._bytes + len(payload) > self._max_bytes
        done = self.rest() if full else None
        batch = self._batch
        batch.payloads.append(payload)
        batch.attributes.append(dict(message.attributes))
        batch.message_ids.append(message.message_id)
        published = message.publish_time
        batch.published_at.append(published.seconds * 1_000_000 + published.nanos // 1_000)
        self._rows += rows
        self._bytes += len(payload)
        return done

    def rest(self) -> MessageBatch | None:
        """What was gathered since, if anything."""
        batch = self._batch
        self._start()
        return batch if len(batch) else None

    def _start(self) -> None:
        self._batch = MessageBatch()
        self._rows = self._bytes = 0
