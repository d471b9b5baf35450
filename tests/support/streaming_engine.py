"""The engine of streaming jobs within this process, on the real emulator."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from local.cloud.dataflow.folder import Streaming
from local.cloud.dataflow.worker.streaming.run import assemble
from local.cloud.dataflow.worker.streaming.steps import Steps
from tests.support.dataflow_cloud import eventually
from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire

COLLECTED: dict[str, list[Any]] = {}
"""What the pipelines of this process put out, by run."""

Build = Callable[[Any], Any]
"""What a pipeline does with the messages it reads."""


class Collect(beam.DoFn):
    """Keeps what comes where the test finds it."""

    def __init__(self, run: str) -> None:
        self.run = run

    def process(self, element: Any) -> None:
        COLLECTED[self.run].append(element)


class StreamingRun:
    """A pipeline at work in a thread of its own; `how` is as in the job's plan."""

    def __init__(
        self,
        pubsub: PubsubEmulator,
        build: Build,
        bundle: int = 1_000,
        acknowledge: str = "committed",
        **reading: Any,
    ) -> None:
        self.wire = Wire(pubsub)
        self.name = uuid.uuid4().hex
        COLLECTED[self.name] = []
        options = PipelineOptions(["--streaming", "--allow_unsafe_triggers"])
        pipeline = beam.Pipeline(options=options)
        messages = pipeline | beam.io.ReadFromPubSub(
            subscription=self.wire.requests.subscription, **reading
        )
        build(messages) | "Collect" >> beam.ParDo(Collect(self.name))
        self.steps = Steps()
        how = Streaming(bundle, acknowledge)
        self.engine = assemble(pipeline.to_runner_api(), options, how, self.steps, pubsub.host)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.steps.attach()
        self.engine.set_up()
        self.engine.run()

    @property
    def collected(self) -> list[Any]:
        return COLLECTED[self.name]

    def collect(self, count: int) -> list[Any]:
        """Waits for so many elements; answers all there are, sorted."""
        eventually(lambda: len(self.collected) >= count)
        return sorted(self.collected)

    def end(self, hand_over: bool = False) -> list[Any]:
        """Drains, or hands over; answers all that was put out, sorted."""
        self.engine.end(hand_over)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the engine does not end"
        return sorted(self.collected)


def held(run: StreamingRun) -> int:
    """How many messages are held: taken, and not acknowledged yet."""
    return sum(told["held"] for told in run.engine.health()["subscriptions"].values())
