"""The steps of a pipeline, ready to run: Beam's direct evaluators, watermarks, state and timers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.execution import MetricUpdates
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import AppliedPTransform
from apache_beam.pvalue import PBegin
from apache_beam.runners.direct.bundle_factory import BundleFactory, _Bundle
from apache_beam.runners.direct.clock import RealClock
from apache_beam.runners.direct.consumer_tracking_pipeline_visitor import (
    ConsumerTrackingPipelineVisitor,
)
from apache_beam.runners.direct.evaluation_context import EvaluationContext
from apache_beam.runners.direct.transform_evaluator import (
    TransformEvaluatorRegistry,
    _TransformEvaluator,
)
from apache_beam.runners.direct.util import TransformResult
from apache_beam.transforms import core, sideinputs
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from local.cloud.dataflow.worker.streaming import keyed_state, stages
from local.cloud.dataflow.worker.streaming.dofns import DoFns, ParDoEvaluator
from local.cloud.dataflow.worker.streaming.steps import Steps
from local.cloud.dataflow.worker.streaming.work import Work

Outputs = list[tuple[AppliedPTransform, _Bundle]]
"""Bundles for the steps that consume them."""


class Graph:
    """Evaluates one step on one bundle at a time."""

    def __init__(self, pipeline: beam.Pipeline, options: PipelineOptions, steps: Steps) -> None:
        self._pipeline = pipeline
        visitor = ConsumerTrackingPipelineVisitor()
        pipeline.visit(visitor)
        self._consumers = visitor.value_to_consumers
        self._roots = visitor.root_transforms
        self.pardos = [
            step for step in visitor.step_names if isinstance(step.transform, core.ParDo)
        ]
        self._context: Any = EvaluationContext(
            options,
            BundleFactory(stacked=False),
            self._roots,
            self._consumers,
            visitor.step_names,
            visitor.views,
            RealClock(),
        )
        self._watermarks = self._context._watermark_manager
        self._states = self._context._transform_keyed_states
        self._side_inputs: Any = self._context._side_inputs_container
        self._steps = steps
        self.dofns = DoFns()
        self._registry = TransformEvaluatorRegistry(self._context)
        evaluator = type("ParDoEvaluator", (ParDoEvaluator,), {"dofns": self.dofns})
        self._registry._evaluators[core.ParDo] = evaluator
        self.reads = [root for root in self._roots if stages.is_read(root)]
        self.first_stage = stages.first_stage(self.reads, self._consumers)

    def set_up(self, step: AppliedPTransform) -> None:
        """Runs the `setup` of a ParDo's DoFn; one that has side inputs waits for its first bundle.
        Raises what it raises."""
        if step.side_inputs:
            return
        nothing = self._context.create_empty_committed_bundle(step.inputs[0])
        evaluator = self._registry.get_evaluator(step, nothing, [])
        if not isinstance(evaluator, ParDoEvaluator):
            return  # a grouping, which Beam derives from ParDo
        with self._steps.running(step), self._steps.watched():
            evaluator.set_up()

    def roots(self) -> list[Work]:
        """The beginning of everything that is not read from Pub/Sub."""
        beginning: Any = PBegin(self._pipeline)
        return [
            Work(root, self._context.create_empty_committed_bundle(beginning))
            for root in self._roots
            if root not in self.reads
        ]

    def read(self, step: AppliedPTransform, elements: Iterable[Any], upto: Timestamp) -> Outputs:
        """Puts elements into the pipeline; `upto` is how far event time has come."""
        output: Any
        [output] = step.outputs.values()
        bundle = self._context.create_bundle(output)
        bundle._elements.extend(elements)
        evaluator = _TransformEvaluator(self._context, step, None, ())
        return self._commit(None, (), TransformResult(evaluator, [bundle], [], None, {None: upto}))

    def evaluate(self, work: Work) -> Outputs | None:
        """Runs a step; None where a side input is not ready. Raises what the step's code raises."""
        if not self._ready(work):
            return None
        values = [work.side_inputs[side_input] for side_input in work.step.side_inputs]
        evaluator = self._registry.get_evaluator(work.step, work.bundle, values)
        with self._steps.running(work.step):
            result = self._process(evaluator, work)
        return self._commit(work.bundle, work.timers, result)

    def _process(self, evaluator: Any, work: Work) -> TransformResult:
        at_element = self._steps.at_element
        try:
            at_element()
            evaluator.start_bundle()
            for timer in work.timers:
                at_element()
                evaluator.process_timer_wrapper(timer)
            for element in work.bundle.get_elements_iterable():
                at_element()
                evaluator.process_element(element)
            at_element()
            return evaluator.finish_bundle()
        finally:
            self._steps.at_rest()

    def _ready(self, work: Work) -> bool:
        """Whether all side inputs of a step are there; the missing ones will wake the work."""
        if not work.step.side_inputs:
            return True
        windows = [element.windows[0] for element in work.bundle.get_elements_iterable()]
        latest = max(windows, key=lambda window: window.end, default=None)
        for side_input in work.step.side_inputs:
            if side_input not in work.side_inputs:
                options = side_input._view_options()
                onto = options.get("window_mapping_fn", sideinputs._global_window_mapping_fn)
                value = self._side_inputs.get_value_or_block_until_ready(
                    side_input, work, onto(latest).end
                )
                if not value:
                    return False
                work.side_inputs[side_input] = value
        return True

    def _commit(self, bundle: _Bundle | None, timers: Sequence[Any], result: Any) -> Outputs:
        result.logical_metric_updates = MetricUpdates()
        committed = self._context.handle_result(bundle, timers, result)
        outputs: Outputs = [(result.transform, again) for again in result.unprocessed_bundles]
        for output in committed:
            if output.has_elements():
                collection = output.pcollection
                self._steps.count(result.transform, collection.tag, len(output._elements))
                outputs += [(step, output) for step in self._consumers.get(collection, ())]
        return outputs

    def drop(self, work: Work) -> None:
        """Takes back a bundle that was put out by a step and shall not be processed."""
        self._watermarks._transform_to_watermarks[work.step].remove_pending(work.bundle)
        self._context._pending_unblocked_tasks += self._watermarks._refresh_watermarks(
            work.step, self._side_inputs
        )

    def unblocked(self) -> list[Work]:
        """Work whose side inputs have become ready."""
        work: list[Work] = self._context._pending_unblocked_tasks
        self._context._pending_unblocked_tasks = []
        return work

    def fired(self, busy: set[AppliedPTransform]) -> Iterator[Work]:
        """Timers that are due, but for those of busy steps."""
        for step, watermarks in list(self._watermarks._transform_to_watermarks.items()):
            if watermarks._keyed_states and step not in busy:
                timers, _ = watermarks.extract_transform_timers()
                if timers:
                    timers.sort(key=lambda timer: timer.timestamp)
                    bundle = self._context.create_empty_committed_bundle(step.inputs[0])
                    yield Work(step, bundle, timers=timers)

    def watermark(self) -> Timestamp:
        """How far event time has come at the step that is furthest behind; for another thread."""
        steps = self._watermarks._transform_to_watermarks.values()
        return min((step.output_watermark for step in steps), default=MAX_TIMESTAMP)

    def forget(self) -> None:
        """Drops state that nothing can come to any more."""
        keyed_state.forget_ended_windows(
            self._states, lambda step: self._watermarks.get_watermarks(step).output_watermark
        )

    def unfinished(self) -> set[Hashable]:
        """What is held back in state."""
        return set(keyed_state.unfinished(self._states))

    def awaits_clock(self) -> bool:
        """Whether something is to happen at a later time, whatever is read."""
        return keyed_state.awaits_clock(self._states)
