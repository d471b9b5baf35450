"""The job's metrics while it runs: collected from the workers, written in the service's shape."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.worker.metric_updates import metric_updates
from local.cloud.faults.in_jobs import reach_in_job
from local.cloud.supervised import now

WRITE_SECONDS = 1.0

Infos = Iterable[Any]


class JobMetrics:
    """Collects Beam's monitoring infos and writes them to the job's folder, once a second."""

    def __init__(self, folder: JobFolder, pipeline: beam_runner_api_pb2.Pipeline) -> None:
        self._folder = folder
        self._pipeline = pipeline
        self._stages: dict[str, list[Any]] = {}
        self._running: dict[str, list[Any]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __enter__(self) -> JobMetrics:
        threading.Thread(target=self._write_periodically, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._write()

    def progress(self, bundle: str, infos: Infos) -> None:
        """What a running bundle has counted so far."""
        with self._lock:
            self._running[bundle] = list(infos)

    def finished(self, stage: str, infos: Infos) -> None:
        """What a stage's bundles counted in all. Stages run one at a time: nothing else is under
        way."""
        with self._lock:
            known = self._stages.get(stage, [])
            self._stages[stage] = list(monitoring_infos.consolidate(itertools.chain(known, infos)))
            self._running.clear()

    def _write_periodically(self) -> None:
        while not self._ended.wait(WRITE_SECONDS):
            self._write()

    def _write(self) -> None:
        reach_in_job("job.metrics")
        with self._lock:
            running = monitoring_infos.consolidate(itertools.chain(*self._running.values()))
            stages = [*self._stages.values(), list(running)]
            time = now()
            self._folder.write_metrics(metric_updates(self._pipeline, stages, time), time)
