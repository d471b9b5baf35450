"""A Pub/Sub read of the pipeline: what it gives the engine, and when."""

from __future__ import annotations

import itertools
import time
from typing import Any

from apache_beam.pipeline import AppliedPTransform
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from local.cloud.dataflow.worker.streaming.buffer import Pulled
from local.cloud.dataflow.worker.streaming.duplicates import Duplicates
from local.cloud.dataflow.worker.streaming.health import Reading
from local.cloud.dataflow.worker.streaming.messages import Decode, publish_micros
from local.cloud.dataflow.worker.streaming.reader import Reader
from local.cloud.dataflow.worker.streaming.retries import Retries
from local.cloud.dataflow.worker.streaming.work import Batch

LINGER_SECONDS = 0.02
FAILED_MOST = 10
"""New messages are taken until so many bundles' worth of them fail again and again."""
WATERMARK_LAG_MICROS = 1_000_000


class Source:
    """Bundles of one subscription, acknowledged or tried again as the engine says."""

    def __init__(
        self,
        step: AppliedPTransform,
        reader: Reader,
        decode: Decode,
        most: int,
        duplicates: Duplicates | None = None,
    ) -> None:
        self.step = step
        self._decode = decode
        self._reader = reader
        self._most = most
        self._duplicates = duplicates
        self._retries = Retries()
        self._taken = 0.0
        self._took_failed: bool = False
        self._under_way: set[Batch] = set()
        self._stopping = False
        self._keep_trying = True
        self._watermark = Timestamp(micros=0)

    def open(self) -> None:
        self._reader.start()

    def take(self) -> Batch | None:
        """The messages of the next bundle, if there are any; those that failed, and new ones, in
        turn."""
        now = time.monotonic()
        new = self._reader.waiting and self._retries.messages < FAILED_MOST * self._most
        failed = self._retries.due(now)
        self._took_failed = failed and not (new and self._took_failed)
        if self._took_failed:
            retry = self._retries.take(now)
            return self._batch(retry.messages, retry.generation, retry.failures) if retry else None
        return self._take_new(now, in_haste=failed) if new else None

    def _take_new(self, now: float, in_haste: bool) -> Batch | None:
        if not in_haste:
            # A moment for more when the last bundle was just now: small bundles cost most.
            self._reader.await_more(self._most, self._taken + LINGER_SECONDS - now)
        self._taken = time.monotonic()
        pulled = self._reader.take(self._most)
        fresh = self._sift(pulled) if pulled else []
        return self._batch(fresh, pulled.generation) if pulled and fresh else None

    def _sift(self, pulled: Pulled) -> list[Any]:
        """What of it has not come before."""
        if not self._duplicates:
            return pulled.messages
        fresh, done = self._duplicates.sift(pulled.messages, pulled.generation, self._taken)
        self._reader.acknowledge(done, pulled.generation)
        return fresh

    def _batch(self, messages: list[Any], generation: int, failures: int = 0) -> Batch:
        elements = [self._decode(received.message) for received in messages]
        batch = Batch(self, messages, elements, generation, failures)
        self._under_way.add(batch)
        return batch

    def committed(self, batch: Batch) -> None:
        """The first stage has done its work on a batch."""
        self._under_way.remove(batch)

    def failed(self, batch: Batch) -> None:
        self._under_way.remove(batch)
        if not self._keep_trying:
            return
        failures = batch.failures + 1 if len(batch.messages) == 1 else 0
        self._retries.add(batch.messages, batch.generation, failures, time.monotonic())

    def acknowledge(self, batch: Batch) -> None:
        self._reader.acknowledge(batch.messages, batch.generation)
        if self._duplicates:
            for twin in self._duplicates.finish(batch.messages, time.monotonic()):
                self._reader.acknowledge([twin.message], twin.generation)

    @property
    def ended(self) -> bool:
        """Nothing will come any more."""
        return self._stopping and not self._under_way and not self._retries.messages

    def watermark(self, batch: Batch | None) -> Timestamp:
        """How far event time has come, with this bundle: close to the present when nothing waits,
        else no further than what was read."""
        if self.ended:
            return MAX_TIMESTAMP
        reached = int(time.time() * 1e6) - WATERMARK_LAG_MICROS
        if batch:
            reached = min(reached, *(element.timestamp_micros for element in batch.elements))
        elif self._reader.waiting or self._retries.messages:
            return self._watermark
        self._watermark = max(self._watermark, Timestamp(micros=reached))
        return self._watermark

    def reading(self) -> Reading:
        """What the job holds at this moment; for another thread."""
        under_way = (batch.messages for batch in self._under_way.copy())
        messages = itertools.chain(self._reader.fetched(), self._retries.all(), *under_way)
        oldest = min((publish_micros(received.message) for received in messages), default=None)
        return Reading(self._reader.subscription, self._reader.held, oldest)

    def stop(self, keep_trying: bool = True) -> None:
        """Reads no more; what was read and not taken goes back, and with the rest, at the end, what
        has failed and shall not be tried again."""
        if not keep_trying:
            self._keep_trying = False
            self._retries = Retries()
        if not self._stopping:
            self._reader.stop()
            self._stopping = True

    def close(self) -> None:
        """Gives back all that is not acknowledged. Event time does not end by that: what an engine
        that still runs would then make of open windows would be acknowledged."""
        self._reader.stop()
        self._reader.close()
