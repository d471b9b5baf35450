"""A service with a streaming job, its topic and subscription, and the tasks of its DAG."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from airflow.sdk import DAG
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects import Objects, open_objects
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.forms.streaming import streaming_form
from nightstream.hooks.dataflow import DataflowHook
from nightstream.streaming.naming import Slot, live_job_labels, live_job_name
from nightstream.streaming.records import PreparedJob
from nightstream.streaming_dag import streaming_dag
from tests.support.local_cloud import PROJECT, ROOT, WORKER_IMAGE, LocalCloud
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service, an_environment
from tests.support.turns import DagRun, Task


@dataclass
class Streaming:
    """One service in an environment of its own; its job's name is its own, too."""

    cloud: LocalCloud
    spec: ServiceSpec
    environment: EnvironmentSpec
    objects: Objects

    @property
    def dataflow(self) -> DataflowHook:
        return DataflowHook(self.environment)

    @property
    def models(self) -> str:
        return f"gs://{self.environment.buckets.models}/{self.spec.service}"

    @property
    def job_name(self) -> str:
        return live_job_name(self.spec.service, Slot.A)

    @property
    def dag(self) -> DAG:
        return streaming_dag(self.spec, self.environment)

    def task(self, task_id: str, run: DagRun, try_number: int = 1) -> Task:
        """A task of a DAG run, ready for its first turn."""
        return Task(self.dag.get_task(task_id), run, try_number, streaming_form())

    def prepared(self, **params: Any) -> DagRun:
        """A DAG run whose task `prepare` is done."""
        run = DagRun(dag_id=self.dag.dag_id, params=params)
        self.task("prepare", run).finish()
        return run

    def stuck_job(self, revision: str, slot: Slot = Slot.A, **labels: str) -> str:
        """A job whose pipeline is never handed out, so that it is PENDING until cancelled."""
        return self.job_of("gs://stuck/pipeline.pb", revision, slot, **labels)

    def job_of(self, pipeline: str, revision: str, slot: Slot = Slot.A, **labels: str) -> str:
        body = {
            "name": live_job_name(self.spec.service, slot),
            "type": "JOB_TYPE_STREAMING",
            "labels": live_job_labels(self.spec.service, slot, revision, "v1") | labels,
            "environment": {"sdkPipelineOptions": {"options": {"pipelineUrl": pipeline}}},
        }
        path = f"/v1b3/projects/{PROJECT}/locations/us-central1/jobs"
        return str(self.cloud.call("POST", path, body)["id"])

    def without_triggerer(self) -> None:
        """Where the triggerer cannot import this package."""
        airflow = self.environment.airflow.model_copy(update={"deferrable": False})
        self.environment = self.environment.model_copy(update={"airflow": airflow})

    def hurried(self, **seconds: int) -> None:
        """Gives launchers or drains less time."""
        keys = {f"{name}_timeout_seconds": value for name, value in seconds.items()}
        dataflow = self.environment.dataflow.model_copy(update=keys)
        self.environment = self.environment.model_copy(update={"dataflow": dataflow})


def prepared_by(run: DagRun) -> PreparedJob:
    return PreparedJob.model_validate(run.xcoms["prepare", "return_value"])


@pytest.fixture(scope="session")
def streaming_cloud(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[LocalCloud]:
    """A local cloud whose jobs read the Pub/Sub emulator, and never get pipelines of `stuck`."""
    arguments = ["--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}", "--pubsub", pubsub.host]
    cloud = LocalCloud(tmp_path_factory.mktemp("streaming_cloud") / "data", arguments).start()
    cloud.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    yield cloud
    cloud.end()


@pytest.fixture
def service(
    streaming_cloud: LocalCloud, pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch
) -> Streaming:
    streaming_cloud.point_clients_here(monkeypatch)
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)
    name = f"w{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        streaming_cloud.call("POST", "/storage/v1/b", {"name": bucket})
    environment = an_environment(
        streaming_cloud.url, buckets=buckets, bigquery={"dataset": f"dataset_{name}"}
    )
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    client.create_dataset(environment.bigquery.dataset)
    objects = open_objects("gs://", storage.Client(PROJECT, AnonymousCredentials()))
    pubsub.create(f"{name}-requests", f"{name}-scoring", ack_deadline_seconds=60)
    streaming = {
        "topic": f"{name}-requests",
        "subscription": f"{name}-scoring",
        "request_id": {"attribute": "request_id"},
    }
    spec = a_service(name, streaming=streaming)
    made = Streaming(streaming_cloud, spec, environment, objects)
    release(made.models, "v1", objects)
    return made
