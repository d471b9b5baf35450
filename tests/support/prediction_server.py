"""A real prediction server in a process of its own, on a free port of the loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import ROOT
from tests.support.patience import PATIENCE_S

SERVER = ("-m", "beam_jobs.prediction.server")


class PredictionServer:
    """`serve` on a model's folder; further settings are environment variables."""

    def __init__(self, folder: str, log: Path, **variables: str) -> None:
        self.log = log
        self._environment = {
            **os.environ,
            "AIP_STORAGE_URI": folder,
            "AIP_HTTP_PORT": "0",
            **variables,
        }
        self.health_route = variables.get("AIP_HEALTH_ROUTE", "/health")
        self.predict_route = variables.get("AIP_PREDICT_ROUTE", "/predict")
        self.session = requests.Session()
        self.session.trust_env = False
        self.url = ""
        self.process: subprocess.Popen[str]

    def listen(self) -> Self:
        """Returns when the server listens; its model may not be loaded yet."""
        command = [sys.executable, *SERVER, "serve", "--host", "127.0.0.1"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", self.process.stdout.readline())
        assert found, f"the server did not start: {self.log.read_text()}"
        self.url = found[0]
        return self

    def start(self) -> Self:
        """Returns when the server is ready."""
        self.listen()
        eventually(lambda: self.health().status_code == 200)
        return self

    def health(self) -> requests.Response:
        return self.session.get(self.url + self.health_route, timeout=PATIENCE_S)

    def predict(self, body: Any) -> requests.Response:
        """Sends bytes as they are, anything else as JSON."""
        url = self.url + self.predict_route
        if isinstance(body, bytes):
            return self.session.post(url, data=body, timeout=PATIENCE_S)
        return self.session.post(url, json=body, timeout=PATIENCE_S)

    def predictions(self, instances: list[dict[str, Any]], **parameters: str) -> list[Any]:
        answer = self.predict({"instances": instances, "parameters": parameters})
        assert answer.status_code == 200, answer.text
        predictions: list[Any] = answer.json()["predictions"]
        return predictions

    def metrics(self) -> str:
        return self.session.get(self.url + "/metrics", timeout=PATIENCE_S).text

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        return self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        self.terminate()
        return self.wait()

    def end(self) -> None:
        """Whatever state it is in."""
        self.process.kill()
        self.process.wait()
        self.session.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
