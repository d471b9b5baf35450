"""The local cloud in a process of its own, and clients that nobody here wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from googleapiclient import discovery

from local.cloud.dataflow.stop import stop_jobs

PROJECT, LOCATION, BUCKET = "a-project", "us-central1", "nightly"
IMAGE = "registry.example/scoring:1"
HERE = Path(__file__).parent


class Cloud:
    """A server that can be killed and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.image = folder / "image"
        self.image.mkdir(parents=True)
        (self.image / "only_in_image.py").write_text("")
        self.url = ""
        self.start()

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        image = f"{IMAGE}={sys.executable}:{self.image}"
        self._server = subprocess.Popen(
            [sys.executable, "-m", "local.cloud", "--image", image, "--port", port, "--data", str(self.data)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout
        self.url = self._server.stdout.readline().split()[-1]
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            return requests.get(self.url + "/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()

    def end(self) -> None:
        self._server.terminate()
        self._server.wait(10)

    @property
    def jobs(self) -> Any:
        """projects.locations.jobs of google-api-python-client."""
        service = discovery.build(
            "dataflow",
            "v1b3",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.url),
            static_discovery=True,
        )
        return service.projects().locations().jobs()

    @property
    def storage(self) -> storage.Client:
        return storage.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.url),
        )

    def environment(self) -> dict[str, str]:
        host = self.url.removeprefix("http://")
        return {
            **os.environ,
            "STORAGE_EMULATOR_HOST": self.url,
            "BIGQUERY_EMULATOR_HOST": self.url,
            "GCE_METADATA_HOST": host,
            "GCE_METADATA_IP": host,
        }

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

    def counters(self, job_id: str) -> dict[str, int]:
        answer = self.jobs.getMetrics(projectId=PROJECT, location=LOCATION, jobId=job_id).execute()
        return {
            metric["name"]["name"]: metric["scalar"]
            for metric in answer["metrics"]
            if metric["name"]["origin"] == "user" and "scalar" in metric
        }

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
            for process in psutil.process_iter(["cmdline", "status"])
            if any(job_id in part for part in process.info["cmdline"] or ())
            and any(module in part for part in process.info["cmdline"])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]


class Launcher:
    """One run of launcher.py: several submissions by the DataflowRunner."""

    def __init__(self, cloud: Cloud, jobs: list[tuple[str, str, list[str]]], log: Path) -> None:
        options = [
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={cloud.url}",
            f"--temp_location=gs://{BUCKET}/temp",
            f"--project={PROJECT}",
            f"--region={LOCATION}",
            "--no_auth",
        ]
        asked = [(kind, name, [*options, *more]) for kind, name, more in jobs]
        self._process = subprocess.Popen(
            [sys.executable, HERE / "launcher.py", json.dumps(asked)],
            env=cloud.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
        )
        self.submissions = [self._line() for _ in jobs]

    def id(self, name: str) -> str:
        """The id under which the first job of a name was submitted."""
        return next(str(s["id"]) for s in self.submissions if s["name"] == name)

    def metrics(self, name: str) -> dict[str, Any]:
        """What Beam's PipelineResult says of the job."""
        assert self._process.stdin
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def eventually(found: Callable[[], Any], seconds: float = 60) -> Any:
    """Waits until a call gives something true, and returns it."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    cloud.storage.create_bucket(BUCKET)
    hang = {"kind": "hang", "path": "stuck/pipeline.pb", "method": "GET"}
    requests.post(cloud.url + "/_local/faults", json=hang, timeout=5).raise_for_status()
    yield cloud
    cloud.end()
    stop_jobs(cloud.data)


@pytest.fixture(scope="session")
def launched(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """The jobs that the tests look at, submitted in one go; they run side by side."""
    folder = tmp_path_factory.mktemp("packages")
    setup = _package(folder, "staged_words", "'!'") / "setup.py"
    extra = _sdist(_package(folder, "extra_words", "'?'"))
    bucket = cloud.storage.bucket(BUCKET)
    bucket.blob("in/words.txt").upload_from_string("to be or not to be\nthat is it\n" * 100)
    launcher = Launcher(
        cloud,
        [
            ("read_and_count", "count", ["--labels=team=night", "--labels=tier=gold"]),
            ("raise_in_user_code", "broken", []),
            ("work_for_ever", "endless", []),
            ("work_for_ever", "endless", []),
            ("work_slowly", "pair", ["--num_workers=2", f"--sdk_container_image={IMAGE}"]),
            (
                "use_staged_code",
                "greeting",
                [f"--setup_file={setup}", f"--extra_package={extra}", "--save_main_session"],
            ),
            ("look_around", "plain", []),
            ("look_around", "in-image", [f"--sdk_container_image={IMAGE}"]),
        ],
        folder / "launcher.log",
    )
    yield launcher
    launcher.end()


def _package(folder: Path, module: str, mark: str) -> Path:
    source = folder / module
    source.mkdir()
    (source / f"{module}.py").write_text(f"MARK = {mark}\n")
    (source / "setup.py").write_text(
        "import setuptools\n"
        f"setuptools.setup(name='{module}', version='1.0', py_modules=['{module}'])\n"
    )
    return source


def _sdist(source: Path) -> Path:
    archive = source.parent / f"{source.name}-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, f"{source.name}-1.0")
    return archive
