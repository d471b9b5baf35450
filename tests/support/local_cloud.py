"""A real local cloud in a process of its own, for tests through real clients."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from google.auth.compute_engine import _metadata

from local.cloud.aiplatform.stop import stop_deployments
from local.cloud.dataflow.stop import stop_jobs
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PROJECT = "nightstream-test"
WORKER_IMAGE = "nightstream-worker:test"
"""Of the shared cloud: this interpreter with this source tree."""


class LocalCloud:
    """One server on a free port. `env` is what points clients at it.

    `kill` is kill -9; `start` after `stop` or `kill` takes the same port and data again.
    """

    def __init__(self, data: Path, arguments: Sequence[str] = ()) -> None:
        self.data = data
        self.log = data.with_name(data.name + ".log")
        self.port = 0
        self._arguments = list(arguments)
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return {
            "STORAGE_EMULATOR_HOST": self.url,
            "BIGQUERY_EMULATOR_HOST": self.url,
            "GCE_METADATA_HOST": f"localhost:{self.port}",
            "GCE_METADATA_IP": f"localhost:{self.port}",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "NIGHTSTREAM_DATAFLOW_ENDPOINT": self.url,
        }

    def point_clients_here(self, patch: pytest.MonkeyPatch) -> None:
        """What `env` does for a new process, for this one."""
        for name, value in self.env.items():
            patch.setenv(name, value)
        # google-auth reads this variable when it is imported, which may be long ago.
        patch.setattr(_metadata, "_GCE_METADATA_HOST", self.env["GCE_METADATA_HOST"])

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> Self:
        """Returns when the server answers."""
        command = [sys.executable, "-m", *self._module(), "--port", str(self.port)]
        command += ["--data", str(self.data), "--project", PROJECT, *self._arguments]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://localhost:(\d+)", line)
        assert found, f"the local cloud did not start: {self.log.read_text()}"
        self.port = int(found.group(1))
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=PATIENCE_S) as answer:
            assert answer.status == 200
        return self

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        return self._end(signal.SIGTERM)

    def end(self) -> None:
        """`stop`, and the Dataflow jobs and deployed models too, which outlive the server."""
        self.stop()
        stop_jobs(self.data)
        stop_deployments(self.data)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    @property
    def ended(self) -> bool:
        """Whether the server has ended, by itself or by a fault."""
        return self._running().poll() is not None

    def wait(self) -> int:
        """Until the server ends by itself; answers its exit code."""
        return self._running().wait(PATIENCE_S)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A plain JSON call, for what no client does: health, faults."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read() or b"null")

    def inject(self, **fault: Any) -> str:
        """Arm a fault; its id. See `local.cloud.faults.Fault` for its fields."""
        armed: str = self.call("POST", "/_local/faults", fault)["id"]
        return armed

    def injections(self, only: str | None = None) -> int:
        """How often the armed faults have struck, or the one of that id."""
        faults = self.call("GET", "/_local/faults")["faults"]
        return sum(fault["injected"] for fault in faults if only in (None, fault["id"]))

    def heal(self) -> None:
        """Disarm all faults."""
        self.call("DELETE", "/_local/faults")

    def _module(self) -> list[str]:
        """What is run, with what comes before its options."""
        return ["local.cloud"]

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the local cloud was not started"
        return self._process

    def _end(self, sign: signal.Signals) -> int:
        process = self._running()
        if process.poll() is None:
            os.kill(process.pid, sign)
        code = process.wait(PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()
        return code


class ObservedCloud(LocalCloud):
    """One whose answers are compared with Google's descriptions: see `observed_cloud`."""

    def end(self) -> None:
        super().end()
        self.verify()

    def verify(self) -> None:
        """Fails when an answer since the last time was not as Google describes it."""
        findings = self._findings.read_text() if self._findings.exists() else ""
        self._findings.unlink(missing_ok=True)
        assert not findings, f"answers that do not fit Google's discovery documents:\n{findings}"

    def _module(self) -> list[str]:
        return ["tests.support.observed_cloud", str(self._findings), str(self._methods)]

    @property
    def methods_answered(self) -> set[str]:
        """Names of the methods, e.g. `bigquery.jobs.get`, that were answered with success."""
        return set(self._methods.read_text().split()) if self._methods.exists() else set()

    @property
    def _findings(self) -> Path:
        return self.data.with_name(self.data.name + ".findings")

    @property
    def _methods(self) -> Path:
        return self.data.with_name(self.data.name + ".methods")
