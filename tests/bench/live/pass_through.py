"""The least that a streaming pipeline does: reads messages with their attributes, counts them.

python -m tests.bench.live.pass_through --plan gs://…/plan.json [--packed]

--packed leaves the messages as they come, serialised, as the streaming job does; Beam's own reading
unpacks each of them.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.metrics.metric import Metrics
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.objects import open_objects
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.collect import ReadMessages


class Count(beam.DoFn):
    """Any message → metrics alone: the counter `requests`, and the distribution `at_work_ms` of
    when bundles began and ended, in milliseconds since the epoch."""

    def __init__(self) -> None:
        self._requests = Metrics.counter("nightstream", "requests")
        self._at_work = Metrics.distribution("nightstream", "at_work_ms")

    def start_bundle(self) -> None:
        self._at_work.update(time.time_ns() // 1_000_000)

    def process(self, _message: PubsubMessage | bytes) -> None:
        self._requests.inc()

    def finish_bundle(self) -> None:
        self._at_work.update(time.time_ns() // 1_000_000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--packed", action="store_true")
    known, options = parser.parse_known_args()
    plan = StreamingPlan.model_validate_json(open_objects(known.plan).read(known.plan))
    pipeline = beam.Pipeline(options=PipelineOptions([*plan.options, *options, "--streaming"]))
    if known.packed:
        read: beam.PTransform = ReadMessages(plan.subscription)
    else:
        read = ReadFromPubSub(subscription=plan.subscription, with_attributes=True)
    pipeline | read | beam.ParDo(Count())
    result: Any = pipeline.run()
    print(result.job_id())


if __name__ == "__main__":
    from tests.bench.live import pass_through

    # Pickled by name, not as parts of __main__.
    pass_through.main()
