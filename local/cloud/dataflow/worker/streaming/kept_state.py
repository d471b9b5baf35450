"""What a streaming job keeps for each step of its pipeline, beyond a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow.worker.streaming.coders import Coder, Rename, coder_of

Pipeline = beam_runner_api_pb2.Pipeline
Transform = beam_runner_api_pb2.PTransform

_PAR_DO = common_urns.primitives.PAR_DO.urn
_COMBINE = common_urns.composites.COMBINE_PER_KEY.urn
_BUFFERS = {
    common_urns.primitives.GROUP_BY_KEY.urn: "GroupByKey",
    _COMBINE: "CombinePerKey",
    common_urns.composites.RESHUFFLE.urn: "Reshuffle",
    common_urns.composites.REDISTRIBUTE_ARBITRARILY.urn: "Redistribute",
    common_urns.composites.REDISTRIBUTE_BY_KEY.urn: "Redistribute",
    common_urns.composites.PUBSUB_READ.urn: "read from Pub/Sub",
}
"""Steps, looked at as a whole, that store elements."""


@dataclass(frozen=True)
class Step:
    """A step and what the service keeps for it: side inputs, and if it is stateful elements and
    state, by a name for each."""

    name: str
    kind: str
    kept: dict[str, Coder]

    @property
    def stateful(self) -> bool:
        return self.kind != "stateless ParDo"


def steps_of(pipeline: Pipeline, rename: Rename = str) -> Iterator[Step]:
    """The steps for which something is kept, and all ParDos; `rename` as for coder_of."""
    for root in pipeline.root_transform_ids:
        yield from _steps_of(pipeline, pipeline.components.transforms[root], rename)


def _steps_of(pipeline: Pipeline, transform: Transform, rename: Rename) -> Iterator[Step]:
    urn = transform.spec.urn
    if urn in _BUFFERS:
        kept = _elements(pipeline, transform, (), rename)
        if urn == _COMBINE:
            combine = beam_runner_api_pb2.CombinePayload.FromString(transform.spec.payload)
            coders = pipeline.components.coders
            kept["accumulator"] = coder_of(coders, combine.accumulator_coder_id, rename)
        yield Step(transform.unique_name, _BUFFERS[urn], kept)
    elif urn == _PAR_DO:
        yield _par_do(pipeline, transform, rename)
    for part in () if urn in _BUFFERS else transform.subtransforms:
        yield from _steps_of(pipeline, pipeline.components.transforms[part], rename)


def _par_do(pipeline: Pipeline, transform: Transform, rename: Rename) -> Step:
    payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
    coders, collections = pipeline.components.coders, pipeline.components.pcollections
    kept = {}
    for tag, side_input in payload.side_inputs.items():
        coder = coder_of(coders, collections[transform.inputs[tag]].coder_id, rename)
        kept[f"side input {tag}"] = Coder(
            "side:input:view", side_input.access_pattern.urn, (coder,)
        )
    own = dict(_own_state(payload, pipeline, rename))
    if not own:
        return Step(transform.unique_name, "stateless ParDo", kept)
    kept |= own | _elements(pipeline, transform, tuple(payload.side_inputs), rename)
    return Step(transform.unique_name, "stateful ParDo", kept)


def _own_state(
    payload: beam_runner_api_pb2.ParDoPayload, pipeline: Pipeline, rename: Rename
) -> Iterator[tuple[str, Coder]]:
    """The state cells, timers and restrictions of a DoFn."""
    coders = pipeline.components.coders
    for name, state in payload.state_specs.items():
        kind = str(state.WhichOneof("spec"))
        ids = [
            value
            for field, value in getattr(state, kind).ListFields()
            if field.name.endswith("coder_id")
        ]
        parts = tuple(coder_of(coders, coder_id, rename) for coder_id in ids)
        yield f"state {name}", Coder(f"state:cell:{kind}", "", parts)
    for name, timer in payload.timer_family_specs.items():
        yield f"timer {name.removeprefix('ts-')}", Coder("state:timer:timer", timer.time_domain)
    if payload.restriction_coder_id:
        yield "restriction", coder_of(coders, payload.restriction_coder_id, rename)


def _elements(
    pipeline: Pipeline, transform: Transform, side_inputs: tuple[str, ...], rename: Rename
) -> dict[str, Coder]:
    """The elements that a step stores, of its output where it has no input, and their windows."""
    components = pipeline.components
    inputs = [id for tag, id in transform.inputs.items() if tag not in side_inputs]
    collection = components.pcollections[(inputs or list(transform.outputs.values()))[0]]
    windowing = components.windowing_strategies[collection.windowing_strategy_id]
    return {
        "elements": coder_of(components.coders, collection.coder_id, rename),
        "windows": coder_of(components.coders, windowing.window_coder_id, rename),
    }
