"""From Beam's monitoring infos to the service's MetricUpdates: a pure translation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability import portable_metrics

_ELEMENT_COUNT = "beam:metric:element_count:v1"


def metric_updates(
    pipeline: beam_runner_api_pb2.Pipeline, stages: Sequence[Sequence[Any]], time: str
) -> list[dict[str, Any]]:
    """User metrics by step and element counts by collection, of all stages together.

    Each is told twice, as the service does: as committed and as tentative (attempted) value.
    """
    infos = monitoring_infos.consolidate(itertools.chain(*stages))
    values = [*_user_metrics(pipeline, list(infos)), *_element_counts(pipeline, stages)]
    return [
        {"name": {**name, "context": {**name["context"], **marks}}, **value, "updateTime": time}
        for name, value in values
        for marks in ({}, {"tentative": "true"})
    ]


def _user_metrics(
    pipeline: beam_runner_api_pb2.Pipeline, infos: list[Any]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    counters, distributions, gauges, sets, _ = portable_metrics.from_monitoring_infos(infos, True)
    ids = {t.unique_name: id for id, t in pipeline.components.transforms.items()}
    values = [
        *((key, {"scalar": value}) for key, value in counters.items()),
        *((key, {"distribution": _distribution(value)}) for key, value in distributions.items()),
        *((key, {"gauge": _gauge(value)}) for key, value in gauges.items()),
        *((key, {"set": sorted(value)}) for key, value in sets.items()),
    ]
    for key, value in values:
        context = {"step": _step(ids, key.step), "namespace": key.metric.namespace}
        yield {"origin": "user", "name": key.metric.name, "context": context}, value


def _distribution(value: Any) -> dict[str, Any]:
    return {"count": value.count, "sum": value.sum, "min": value.min, "max": value.max}


def _gauge(value: Any) -> dict[str, Any]:
    return {"value": value.value, "timestamp": str(value.timestamp)}


def _step(ids: Mapping[str, str], name: str) -> str:
    """The id of the submitted transform that a step of the running pipeline was made from."""
    while name not in ids and "/" in name:
        name = name.rpartition("/")[0]
    return ids.get(name, name)


def _element_counts(
    pipeline: beam_runner_api_pb2.Pipeline, stages: Sequence[Sequence[Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    names = _collection_names(pipeline)
    for collection, count in sorted(_counts(stages).items()):
        if collection in names:
            name = {"original_name": collection, "output_user_name": names[collection]}
            yield (
                {"origin": "dataflow/v1b3", "name": "ElementCount", "context": name},
                {"scalar": count},
            )


def _counts(stages: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Elements by collection. The stages that read a collection count it again."""
    counts: dict[str, int] = {}
    for info in itertools.chain(*stages):
        if info.urn == _ELEMENT_COUNT:
            collection = info.labels[monitoring_infos.PCOLLECTION_LABEL]
            count = monitoring_infos.extract_counter_value(info)
            counts[collection] = max(count, counts.get(collection, 0))
    return counts


def _collection_names(pipeline: beam_runner_api_pb2.Pipeline) -> dict[str, str]:
    """The name of each collection: that of the step it comes from, and which output it is."""
    return {
        collection: f"{transform.unique_name}-out{number}"
        for transform in pipeline.components.transforms.values()
        if not transform.subtransforms
        for number, (_, collection) in enumerate(sorted(transform.outputs.items()))
    }
