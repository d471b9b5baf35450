"""DoFns that live as long as their worker, as in Beam's own workers.

Beam's direct runner makes a new DoFn, sets it up and tears it down for each bundle, which would
load a model for each bundle.
"""

from __future__ import annotations

import contextlib
from typing import Any

from apache_beam import typehints
from apache_beam.coders.typecoders import registry
from apache_beam.internal import pickler
from apache_beam.pipeline import AppliedPTransform
from apache_beam.pvalue import PCollection
from apache_beam.runners import common
from apache_beam.runners.direct.bundle_factory import _Bundle
from apache_beam.runners.direct.direct_userstate import DirectUserStateContext
from apache_beam.runners.direct.transform_evaluator import _ParDoEvaluator, _TaggedReceivers
from apache_beam.runners.direct.util import TransformResult
from apache_beam.transforms.core import DoFn
from apache_beam.transforms.userstate import get_dofn_specs, is_stateful_dofn
from apache_beam.utils.counters import CounterFactory


class Output(common.Receiver):
    """Where a DoFn's output of one tag goes: into the bundle of the moment."""

    def __init__(self) -> None:
        self.bundle: _Bundle | None = None

    def receive(self, element: Any) -> None:
        self.bundle.add(element)  # type: ignore[union-attr]


class LivingDoFn:
    """A step's DoFn with what runs it. Without state and side inputs all of it serves for good."""

    def __init__(self, step: AppliedPTransform) -> None:
        transform: Any = step.transform
        self.dofn: DoFn = pickler.roundtrip(transform.dofn)
        self.outputs = {tag: Output() for tag in step.outputs}
        self.runner: common.DoFnRunner | None = None
        self.stateful = is_stateful_dofn(self.dofn)
        self.lasting = not step.side_inputs and not self.stateful
        self.is_set_up = False


class DoFns:
    """The living DoFn of each step; one whose code raised is replaced."""

    def __init__(self) -> None:
        self._living: dict[AppliedPTransform, LivingDoFn] = {}

    def get(self, step: AppliedPTransform) -> LivingDoFn:
        if step not in self._living:
            self._living[step] = LivingDoFn(step)
        return self._living[step]

    def discard(self, step: AppliedPTransform) -> None:
        """After an error, as Beam's workers do."""
        living = self._living.pop(step, None)
        if living and living.is_set_up:
            with contextlib.suppress(Exception):
                living.dofn.teardown()

    def teardown(self) -> None:
        for step in list(self._living):
            self.discard(step)


class ParDoEvaluator(_ParDoEvaluator):
    """Runs a bundle through a step's living DoFn. A subclass names the `dofns`."""

    dofns: DoFns

    def start_bundle(self) -> None:
        self.set_up()
        self._bundles = [self._open(tag) for tag in self._applied_ptransform.outputs]
        self.runner.start()

    def set_up(self) -> None:
        """Makes the DoFn ready for a bundle; only the first time does its own `setup` run."""
        self._living = self.dofns.get(self._applied_ptransform)
        self.user_state_context = None
        if self._living.stateful:
            self._open_state(self._living.dofn)
        if not (self._living.runner and self._living.lasting):
            self._living.runner = self._make_runner()
        self.runner = self._living.runner
        if not self._living.is_set_up:
            self.runner.setup()
            self._living.is_set_up = True

    def finish_bundle(self) -> TransformResult:
        self.runner.finish()
        if self.user_state_context:
            self.user_state_context.commit()
            self.user_state_context.reset()
        return TransformResult(self, self._bundles, [], None, None)

    def _make_runner(self) -> common.DoFnRunner:
        step, transform = self._applied_ptransform, self._applied_ptransform.transform
        receivers = _TaggedReceivers(self._evaluation_context)
        receivers.update(self._living.outputs)
        return common.DoFnRunner(
            self._living.dofn,
            getattr(transform, "args", []),
            getattr(transform, "kwargs", {}),
            self._side_inputs,
            step.inputs[0].windowing,
            tagged_receivers=receivers,
            step_name=step.full_label,
            state=common.DoFnState(CounterFactory()),
            user_state_context=self.user_state_context,
        )

    def _open_state(self, dofn: DoFn) -> None:
        hint = self._applied_ptransform.inputs[0].element_type
        known = hint is not None and hint != typehints.Any
        coder = registry.get_coder(hint if known else typehints.Any)
        self.key_coder = coder.key_coder() if known else coder
        self.user_state_context = DirectUserStateContext(self._step_context, dofn, self.key_coder)
        _, timers = get_dofn_specs(dofn)
        self.user_timer_map = {f"user/{timer.name}": timer for timer in timers}

    def _open(self, tag: Any) -> _Bundle:
        pipeline: Any = None
        collection: PCollection[Any] = PCollection(pipeline, tag=tag)
        collection.producer = self._applied_ptransform
        bundle = self._evaluation_context.create_bundle(collection)
        bundle.tag = tag
        self._living.outputs[tag].bundle = bundle
        return bundle
