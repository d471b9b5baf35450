"""Where a pipeline's first stage ends: what Dataflow fuses with a read and commits with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apache_beam.io.gcp.pubsub import _PubSubSource
from apache_beam.io.iobase import Read
from apache_beam.pipeline import AppliedPTransform
from apache_beam.runners.direct.direct_runner import _StreamingGroupByKeyOnly
from apache_beam.transforms.core import DoFn, Flatten, ParDo
from apache_beam.transforms.userstate import is_stateful_dofn

Consumers = Mapping[Any, Iterable[AppliedPTransform]]


class Redistribute(DoFn):
    """Stands for a Reshuffle, which on one worker moves nothing: it only ends a stage."""

    def process(self, element: Any) -> Any:
        yield element


def is_read(step: AppliedPTransform) -> bool:
    """Whether a step is a read from Pub/Sub."""
    return isinstance(step.transform, Read) and isinstance(step.transform.source, _PubSubSource)


def first_stage(reads: Sequence[AppliedPTransform], consumers: Consumers) -> set[AppliedPTransform]:
    """The steps that work on a message before any step that stores or groups it."""
    found: set[AppliedPTransform] = set()
    edge = list(reads)
    while edge:
        step = edge.pop()
        reached = [c for output in step.outputs.values() for c in consumers.get(output, ())]
        fresh = [c for c in reached if c not in found and not begins_stage(c)]
        found.update(fresh)
        edge += fresh
    return found


def begins_stage(step: AppliedPTransform) -> bool:
    """Whether Dataflow writes a step's input down before the step sees it."""
    transform = step.transform
    if isinstance(transform, ParDo):
        return isinstance(transform.dofn, Redistribute) or is_stateful_dofn(transform.dofn)
    return isinstance(transform, _StreamingGroupByKeyOnly) or not isinstance(transform, Flatten)
