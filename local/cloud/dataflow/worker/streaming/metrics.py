"""The metrics of a streaming job: of this process and, added to them, of those before it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.portability.api import beam_fn_api_pb2, beam_runner_api_pb2

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.worker.metric_updates import metric_updates
from local.cloud.dataflow.worker.metrics import WRITE_SECONDS
from local.cloud.dataflow.worker.streaming.steps import Steps
from local.cloud.faults.in_jobs import reach_in_job
from local.cloud.supervised import now

Health = Callable[[], dict[str, Any]]


class StreamingMetrics:
    """Writes a job's metrics and health to its folder once a second, as a context while it runs."""

    def __init__(
        self,
        folder: JobFolder,
        pipeline: beam_runner_api_pb2.Pipeline,
        steps: Steps,
        health: Health,
    ) -> None:
        self._folder = folder
        self._sums = folder.path / "metrics.pb"
        self._earlier = _read(self._sums)
        self._pipeline = pipeline
        self._collections = _collections(pipeline)
        self._steps = steps
        self._health = health
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write_periodically, daemon=True)

    def __enter__(self) -> StreamingMetrics:
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        # Two at a time would take one another's file away.
        self._writer.join()
        self._write()

    def _write_periodically(self) -> None:
        while not self._ended.wait(WRITE_SECONDS):
            self._write()

    def _write(self) -> None:
        reach_in_job("job.metrics")
        counted = self._steps.infos(self._collections)
        infos = list(monitoring_infos.consolidate(itertools.chain(self._earlier, counted)))
        time = now()
        # First what the next process goes on from: what was told is never taken back.
        _write(self._sums, infos)
        self._folder.write_metrics(metric_updates(self._pipeline, [infos], time), time)
        self._folder.write_health(self._health(), time)


def _collections(
    pipeline: beam_runner_api_pb2.Pipeline,
) -> dict[tuple[str, str | None], str]:
    """The pipeline's collections by the step and the output they come from."""
    return {
        (transform.unique_name, None if tag == "None" else tag): collection
        for transform in pipeline.components.transforms.values()
        if not transform.subtransforms
        for tag, collection in transform.outputs.items()
    }


def _read(path: Path) -> list[Any]:
    if not path.exists():
        return []
    response = beam_fn_api_pb2.ProcessBundleResponse.FromString(path.read_bytes())
    return list(response.monitoring_infos)


def _write(path: Path, infos: list[Any]) -> None:
    response = beam_fn_api_pb2.ProcessBundleResponse(monitoring_infos=infos)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(response.SerializeToString())
    temporary.replace(path)
