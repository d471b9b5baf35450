"""What bundles have counted so far, asked for while they run."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner, worker_handlers

PROGRESS_SECONDS = 1.0

Report = Callable[[str, Iterable[Any]], None]
"""Told the id of a running bundle and its monitoring infos."""


def report_progress(report: Report) -> None:
    """Makes this process's runner report the progress of its bundles.

    Beam's runner asks worker processes, but has nobody to tell; a worker within this process it
    cannot ask, since it waits for the bundle itself.
    """

    class EmbeddedWorker(_EmbeddedWorker):
        requester = functools.partial(ProgressRequester, callback=report)

    register = worker_handlers.WorkerHandler.register_environment
    register(python_urns.EMBEDDED_PYTHON, None)(EmbeddedWorker)
    fn_runner.ProgressRequester = EmbeddedWorker.requester  # type: ignore[misc,assignment]


class _EmbeddedWorker(worker_handlers.EmbeddedWorkerHandler):
    requester: Callable[..., ProgressRequester]

    def push(self, request: Any) -> Any:
        if request.WhichOneof("request") != "process_bundle":
            return super().push(request)
        with self.requester(self, request.instruction_id, PROGRESS_SECONDS):
            return super().push(request)


class ProgressRequester(fn_runner.ProgressRequester):
    """Asks for progress only after a period, which spares short bundles, and ends at once."""

    def __init__(self, worker: Any, bundle: str, period: float | None, callback: Report) -> None:
        super().__init__(worker, bundle, period, callback)
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._frequency):
            answer = self._worker_handler.control_conn.push(
                beam_fn_api_pb2.InstructionRequest(
                    process_bundle_progress=beam_fn_api_pb2.ProcessBundleProgressRequest(
                        instruction_id=self._instruction_id
                    )
                )
            )
            infos = answer.get().process_bundle_progress.monitoring_infos
            if infos and not self._ended.is_set():
                self._callback(self._instruction_id, infos)

    def stop(self) -> None:
        self._ended.set()
