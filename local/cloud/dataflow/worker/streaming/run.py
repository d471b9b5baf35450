"""Running a streaming pipeline until it is drained."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions, WorkerOptions
from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow import subscriber
from local.cloud.dataflow.folder import JobFolder, Streaming, TopicSubscription
from local.cloud.dataflow.outcome import EXIT_LOST
from local.cloud.dataflow.worker import garbage
from local.cloud.dataflow.worker.commands import HAND_OVER, Commands
from local.cloud.dataflow.worker.streaming import pipeline as pipelines
from local.cloud.dataflow.worker.streaming import topics
from local.cloud.dataflow.worker.streaming.duplicates import Duplicates
from local.cloud.dataflow.worker.streaming.engine import Engine
from local.cloud.dataflow.worker.streaming.graph import Graph
from local.cloud.dataflow.worker.streaming.messages import decoder
from local.cloud.dataflow.worker.streaming.metrics import StreamingMetrics
from local.cloud.dataflow.worker.streaming.reader import Reader
from local.cloud.dataflow.worker.streaming.readiness import ready_after
from local.cloud.dataflow.worker.streaming.source import Source
from local.cloud.dataflow.worker.streaming.steps import Steps
from local.cloud.dataflow.worker.streaming.subscription import Subscription
from local.cloud.dataflow.worker.streaming.watchdog import Watchdog
from local.cloud.faults.in_jobs import reach_in_job

EMULATOR = "PUBSUB_EMULATOR_HOST"


def run_streaming(
    folder: JobFolder,
    home: Path,
    proto: beam_runner_api_pb2.Pipeline,
    options: dict[str, Any],
    commands: Commands,
) -> None:
    """Returns when the job was drained. Raises Failure for what is not supported."""
    parsed = PipelineOptions.from_dictionary(options)
    how = folder.plan().streaming
    assert how
    # It logs what the engine is about to report.
    logging.getLogger("apache_beam.runners.common").setLevel(logging.CRITICAL)
    emulator = pipelines.check(proto, os.environ.get(EMULATOR))
    steps = Steps()
    submitted = beam_runner_api_pb2.Pipeline()
    submitted.CopyFrom(proto)
    subscriptions = topics.make_subscriptions(folder, proto, emulator)
    engine = assemble(proto, parsed, how, steps, emulator, subscriptions)
    metrics = StreamingMetrics(folder, submitted, steps, engine.health)
    steps.attach()
    if minutes := parsed.view_as(WorkerOptions).element_processing_timeout_minutes:
        Watchdog(steps, minutes * 60, lambda why: _abandon(home, why, engine)).start()
    with ready_after(home / "ready"):
        engine.set_up()
        garbage.take_up()
        reach_in_job("job.set_up")
    commands.await_go()
    # Once more: a job that was to be replaced, and has ended otherwise, has taken them with it.
    topics.make_all(subscriptions)
    reach_in_job("job.ready")
    commands.on_end(lambda command: engine.end(hand_over=command == HAND_OVER))
    with metrics:
        engine.run()


def _abandon(home: Path, why: str, engine: Engine) -> None:
    """Ends this process on the spot, with its messages given back to Pub/Sub."""
    (home / "failure.txt").write_text(why)
    engine.give_back()
    os._exit(EXIT_LOST)


def assemble(
    proto: beam_runner_api_pb2.Pipeline,
    options: PipelineOptions,
    how: Streaming,
    steps: Steps,
    emulator: str,
    made: Sequence[TopicSubscription] = (),
) -> Engine:
    """The engine of a pipeline and its sources, which read from the Pub/Sub at `emulator`; `made`
    are the subscriptions of the steps that read a topic."""
    own = {subscription.step: subscription for subscription in made}
    arrival = threading.Event()
    graph = Graph(pipelines.restore(proto, options), options, steps)
    sources = []
    for step in graph.reads:
        transform: Any = step.transform
        read = transform.source
        reader = _reader(emulator, read.full_subscription or own[step.full_label], how, arrival)
        duplicates = Duplicates(read.id_label) if read.id_label else None
        sources.append(Source(step, reader, decoder(read), how.bundle, duplicates))
    return Engine(graph, sources, arrival, how.acknowledge == "first-stage")


def _reader(
    emulator: str, source: str | TopicSubscription, how: Streaming, arrival: threading.Event
) -> Reader:
    """Of a subscription by its name, or of one that the job has made and makes again."""
    ahead = 2 * how.bundle
    if isinstance(source, str):
        return Reader(Subscription(emulator, source), ahead, arrival)
    subscription = Subscription(emulator, source.name)
    return Reader(subscription, ahead, arrival, lambda: subscriber.make(source))
