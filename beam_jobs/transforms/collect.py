"""From single messages to micro-batches, within a bundle."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
from apache_beam.io.gcp.pubsub import ReadFromPubSub
from apache_beam.pvalue import PCollection
from apache_beam.utils.windowed_value import WindowedValue

from beam_jobs.messages.batch import Collector, MessageBatch
from beam_jobs.prediction.live.bundles import bundles_under_way
from beam_jobs.spec.streaming import StreamingSpec
from beam_jobs.transforms.write import in_global_window


class ReadMessages(ReadFromPubSub):
    """Messages of a subscription with their attributes, still serialised.

    Beam unpacks each with a wrapper that takes longer than all that is done here for a request.
    """

    def __init__(self, subscription: str) -> None:
        super().__init__(subscription=subscription, with_attributes=True)

    def expand_continued(self, pcoll: PCollection) -> PCollection:
        return pcoll


class Collect(beam.DoFn):
    """Serialised message → MessageBatch, of as many messages of the bundle as may go together.

    Nothing is kept from one bundle to the next, so that no message is acknowledged before its
    requests are written.
    """

    def __init__(self, spec: StreamingSpec) -> None:
        self._spec = spec

    def start_bundle(self) -> None:
        bundles_under_way.enter()
        self._collector = Collector(self._spec)

    def process(self, message: bytes) -> list[MessageBatch] | None:
        full = self._collector.add(message)
        return None if full is None else [full]

    def finish_bundle(self) -> Iterator[WindowedValue]:
        rest = self._collector.rest()
        if rest is not None:
            yield in_global_window(rest)
        bundles_under_way.leave()
