"""Workers in processes of their own, the loss of one of which ends the job process at once.

Beam's runner would wait for ever for the answer of a worker that is gone.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from google.protobuf import json_format, text_format

_EXIT_SECONDS = 5.0

OnLoss = Callable[[str], None]


def register(on_loss: OnLoss, folder: Path, home: Path) -> None:
    """Makes this process start its worker processes here; `on_loss` is told why one ended."""

    class WorkerProcess(_WatchedProcess):
        arguments = (str(folder), str(home))
        lost = staticmethod(on_loss)

    worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(
        WorkerProcess
    )


class _WatchedProcess(worker_handlers.GrpcWorkerHandler):
    arguments: tuple[str, str]
    lost: OnLoss

    def __init__(self, _payload: bytes, *beam: Any) -> None:
        super().__init__(*beam)
        self._killed = False

    def start_worker(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.cloud.dataflow.worker.harness", *self.arguments],
            env={**os.environ, **self._connection()},
            stdin=subprocess.PIPE,
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _connection(self) -> dict[str, str]:
        options = self.provision_info.provision_info.pipeline_options
        return {
            "WORKER_ID": self.worker_id,
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(
                self.control_api_service_descriptor()
            ),
            "PIPELINE_OPTIONS": json_format.MessageToJson(options),
            "RUNNER_CAPABILITIES": " ".join(worker_handlers.FNAPI_RUNNER_CAPABILITIES),
        }

    def _watch(self) -> None:
        code = self._process.wait()
        if code and not self._killed:
            self.lost(f"worker process {self._process.pid} ended with exit code {code}")

    def stop_worker(self) -> None:
        """Called once the worker has been told to end."""
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            logging.info("worker process %d does not end: killed", self._process.pid)
            self._killed = True
            self._process.kill()
        self._watcher.join()
