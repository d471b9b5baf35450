"""Dataflow jobs of a local cloud, through clients that nobody here wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from googleapiclient import discovery

from local.stack.processes import all_processes
from tests.support.local_cloud import PROJECT, LocalCloud, ObservedCloud
from tests.support.patience import PATIENCE_S

LOCATION, BUCKET = "us-central1", "nightly"
IMAGE = "registry.example/scoring:1"
LAUNCHER = Path(__file__).parents[1] / "local/cloud/dataflow/launcher.py"


class DataflowCloud:
    """The jobs of a local cloud."""

    def __init__(self, server: LocalCloud) -> None:
        self.server = server

    @classmethod
    def with_image(cls, folder: Path, *more: str) -> DataflowCloud:
        """A local cloud of its own, with one worker image, which has the module code_of_image."""
        image = folder / "image"
        image.mkdir(parents=True)
        (image / "code_of_image.py").write_text("WHOSE = 'the image'\n")
        arguments = ["--image", f"{IMAGE}={sys.executable}:{image}"]
        cloud = cls(ObservedCloud(folder / "data", [*arguments, *more]))
        cloud.start()
        return cloud

    def start(self) -> None:
        self.server.start()
        self.server.inject(kind="hang", path="stuck/pipeline.pb", method="GET")

    @property
    def service(self) -> Any:
        """google-api-python-client's dataflow v1b3."""
        return discovery.build(
            "dataflow",
            "v1b3",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.server.url),
            static_discovery=True,
        )

    @property
    def jobs(self) -> Any:
        """projects.locations.jobs of google-api-python-client."""
        return self.service.projects().locations().jobs()

    @property
    def storage(self) -> storage.Client:
        return storage.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.server.url),
        )

    def text(self, prefix: str) -> list[str]:
        """All lines of the objects with a prefix, sorted."""
        blobs = self.storage.list_blobs(BUCKET, prefix=prefix)
        return sorted(line for blob in blobs for line in blob.download_as_text().splitlines())

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.jobs.get(
            projectId=PROJECT, location=LOCATION, jobId=job_id
        ).execute()
        return found

    def state(self, job_id: str) -> str:
        return str(self.job(job_id)["currentState"]).removeprefix("JOB_STATE_")

    def await_state(self, job_id: str, *states: str) -> str:
        return eventually(lambda: self.state(job_id) in states and self.state(job_id))

    def messages(self, job_id: str, **query: Any) -> list[dict[str, Any]]:
        answer = (
            self.jobs.messages()
            .list(projectId=PROJECT, location=LOCATION, jobId=job_id, **query)
            .execute()
        )
        return list(answer.get("jobMessages", []))

    def warnings(self, job_id: str) -> list[dict[str, Any]]:
        """Messages of that very importance; a dying worker may log errors of its own beside."""
        found = self.messages(job_id, minimumImportance="JOB_MESSAGE_WARNING")
        return [m for m in found if m["messageImportance"] == "JOB_MESSAGE_WARNING"]

    def counters(self, job_id: str) -> dict[str, int]:
        answer = self.jobs.getMetrics(projectId=PROJECT, location=LOCATION, jobId=job_id).execute()
        return {
            metric["name"]["name"]: metric["scalar"]
            for metric in answer["metrics"]
            if metric["name"]["origin"] == "user" and "scalar" in metric
        }

    def drain(self, job_id: str) -> dict[str, Any]:
        changed: dict[str, Any] = self.jobs.update(
            projectId=PROJECT,
            location=LOCATION,
            jobId=job_id,
            body={"requestedState": "JOB_STATE_DRAINED"},
        ).execute()
        return changed

    def cancel(self, job_id: str) -> dict[str, Any]:
        changed: dict[str, Any] = self.jobs.update(
            projectId=PROJECT,
            location=LOCATION,
            jobId=job_id,
            body={"requestedState": "JOB_STATE_CANCELLED"},
        ).execute()
        return changed

    def create(self, name: str, project: str = PROJECT, **fields: Any) -> dict[str, Any]:
        """A job by plain REST, whose pipeline is never handed out: it stays PENDING."""
        options = {"pipelineUrl": f"gs://{BUCKET}/stuck/pipeline.pb"}
        body = {
            "name": name,
            "type": "JOB_TYPE_BATCH",
            "environment": {"sdkPipelineOptions": {"options": options}},
            **fields,
        }
        created: dict[str, Any] = self.jobs.create(
            projectId=project, location=LOCATION, body=body
        ).execute()
        return created

    def processes(self, job_id: str, module: str = "") -> list[psutil.Process]:
        """The living processes of a job: its supervisor, job process and workers."""
        return [
            process
            for process in all_processes("cmdline", "status")
            if any(job_id in part for part in process.info["cmdline"] or ())
            and any(module in part for part in process.info["cmdline"])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]


class Launcher:
    """One run of launcher.py: several submissions by the DataflowRunner."""

    def __init__(
        self,
        cloud: DataflowCloud,
        jobs: list[tuple[str, str, list[str]]],
        log: Path,
        script: Path = LAUNCHER,
    ) -> None:
        options = [
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={cloud.server.url}",
            f"--temp_location=gs://{BUCKET}/temp",
            f"--project={PROJECT}",
            f"--region={LOCATION}",
            "--no_auth",
        ]
        self._options = options
        asked = [(kind, name, [*options, *more]) for kind, name, more in jobs]
        self._process = subprocess.Popen(
            [sys.executable, script, json.dumps(asked)],
            env={**os.environ, **cloud.server.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
        )
        self.submissions = [self._line() for _ in jobs]

    def id(self, name: str) -> str:
        """The id under which the first job of a name was submitted."""
        return next(str(s["id"]) for s in self.submissions if s["name"] == name)

    def submit(self, kind: str, name: str, *options: str) -> str:
        """One more job; its id."""
        submission = self._ask(json.dumps([kind, name, [*self._options, *options]]))
        assert submission["id"], submission["error"]
        return str(submission["id"])

    def metrics(self, name: str) -> dict[str, Any]:
        """What Beam's PipelineResult says of the job."""
        return self._ask(name)

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def eventually(found: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """Waits until a call gives something true, and returns it."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result
