"""From the staged pipeline to one that the engine can run."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import _PubSubSink
from apache_beam.io.iobase import Write
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor, PTransformOverride
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.direct.direct_runner import (
    BundleBasedDirectRunner,
    _get_transform_overrides,
)
from apache_beam.transforms.util import Reshuffle

from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.streaming.publishing import Publish
from local.cloud.dataflow.worker.streaming.stages import Redistribute

_READ = common_urns.composites.PUBSUB_READ.urn
_WRITE = common_urns.composites.PUBSUB_WRITE.urn


def restore(proto: beam_runner_api_pb2.Pipeline, options: PipelineOptions) -> beam.Pipeline:
    """The pipeline as Python objects, with what the direct runner puts in for its own."""
    _open_up_reads(proto)
    _give_writes_an_output(proto)
    pipeline = beam.Pipeline.from_runner_api(proto, BundleBasedDirectRunner(), options)
    pipeline.replace_all([_ReshuffleOverride(), *_get_transform_overrides(options)])
    pipeline.visit(_PublishInPlace())
    return pipeline


def check(proto: beam_runner_api_pb2.Pipeline, emulator: str | None) -> str:
    """Where the pipeline finds Pub/Sub. Raises Failure where it needs one that is not there."""
    writes = any(t.spec.urn == _WRITE for t in proto.components.transforms.values())
    if (writes or _reads(proto)) and not emulator:
        raise Failure(
            "the pipeline uses Pub/Sub, and no Pub/Sub emulator is configured: start one and name "
            "it to the local cloud with --pubsub HOST:PORT or in PUBSUB_EMULATOR_HOST. "
            "The real Pub/Sub is never called."
        )
    return emulator or ""


def topics(proto: beam_runner_api_pb2.Pipeline) -> dict[str, str]:
    """The topics that are read, by the name of the step."""
    return {step: read.topic for step, read in _reads(proto).items() if read.topic}


def _reads(
    proto: beam_runner_api_pb2.Pipeline,
) -> dict[str, beam_runner_api_pb2.PubSubReadPayload]:
    return {
        transform.unique_name: beam_runner_api_pb2.PubSubReadPayload.FromString(
            transform.spec.payload
        )
        for transform in proto.components.transforms.values()
        if transform.spec.urn == _READ
    }


def _open_up_reads(proto: beam_runner_api_pb2.Pipeline) -> None:
    """Makes ReadFromPubSub a mere name for its steps, or the direct runner would replace it."""
    transforms = proto.components.transforms
    for transform in transforms.values():
        if any(transforms[id].spec.urn == _READ for id in transform.subtransforms):
            transform.spec.Clear()


def _give_writes_an_output(proto: beam_runner_api_pb2.Pipeline) -> None:
    """Beam takes a transform without any output for a composite one, and passes over it."""
    components = proto.components
    for id, transform in components.transforms.items():
        if transform.spec.urn == _WRITE and not transform.outputs:
            [input_id] = transform.inputs.values()
            output = components.pcollections[f"{id}/output"]
            output.CopyFrom(components.pcollections[input_id])
            transform.outputs["None"] = f"{id}/output"


class _ReshuffleOverride(PTransformOverride):
    def matches(self, applied: AppliedPTransform) -> bool:
        return isinstance(applied.transform, Reshuffle)

    def get_replacement_transform_for_applied_ptransform(self, _: AppliedPTransform) -> Any:
        return beam.ParDo(Redistribute())


class _PublishInPlace(PipelineVisitor):
    """Gives the service's own write to Pub/Sub, which has no code, some code."""

    def visit_transform(self, applied: AppliedPTransform) -> None:
        transform = applied.transform
        if isinstance(transform, Write) and isinstance(transform.sink, _PubSubSink):
            applied.transform = beam.ParDo(Publish(transform.sink))
