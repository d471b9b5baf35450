"""A service, its buckets in the real local cloud, and its tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from airflow.sdk import DAG
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from beam_jobs.objects import Objects, open_objects
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.hooks.dataflow import DataflowHook
from nightstream.operators.audit import AuditOperator
from nightstream.operators.await_input import AwaitInputOperator
from nightstream.operators.cancel import CancelOperator
from nightstream.operators.publish import PublishOperator
from nightstream.operators.record import RecordOperator
from nightstream.operators.resolve import ResolveOperator
from nightstream.operators.score import ScoreOperator
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.specs import a_service, an_environment
from tests.support.turns import DagRun, Task

NIGHT = date(2026, 1, 5)
CLASSES = {
    "await_input": AwaitInputOperator,
    "resolve": ResolveOperator,
    "score": ScoreOperator,
    "audit": AuditOperator,
    "publish": PublishOperator,
    "record": RecordOperator,
    "cancel": CancelOperator,
}


@dataclass
class Service:
    """One service in an environment of its own."""

    cloud: LocalCloud
    environment: EnvironmentSpec
    objects: Objects
    spec: ServiceSpec = field(default_factory=a_service)

    def put(self, name: str, content: str = "id,weeks\na,40\n", night: date = NIGHT) -> str:
        """Writes an input file of a night; its URI."""
        uri = f"gs://{self.environment.buckets.input}/{self.spec.input.folder(night)}{name}"
        self.objects.put(uri, content.encode())
        return uri

    @property
    def models(self) -> str:
        return f"gs://{self.environment.buckets.models}/{self.spec.service}"

    @property
    def dataflow(self) -> DataflowHook:
        return DataflowHook(self.environment)

    def task(self, task_id: str, run: DagRun | None = None, try_number: int = 1) -> Task:
        """A task of a DAG run, ready for its first turn."""
        dag = DAG("weights_batch", schedule=None)
        tasks = {
            name: of(task_id=name, spec=self.spec, environment=self.environment, dag=dag)
            for name, of in CLASSES.items()
        }
        tasks["await_input"] >> [tasks["resolve"], tasks["cancel"]]
        return Task(tasks[task_id], run or DagRun(), try_number)

    def stuck_job(self, name: str, labels: dict[str, str]) -> str:
        """A job whose pipeline is never handed out, so that it is active until cancelled."""
        body = {
            "name": name,
            "type": "JOB_TYPE_BATCH",
            "labels": labels,
            "environment": {
                "sdkPipelineOptions": {"options": {"pipelineUrl": "gs://stuck/pipeline.pb"}}
            },
        }
        path = f"/v1b3/projects/{PROJECT}/locations/us-central1/jobs"
        return str(self.cloud.call("POST", path, body)["id"])


@pytest.fixture
def service(cloud_env: LocalCloud) -> Service:
    name = uuid.uuid4().hex[:12]
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        cloud_env.call("POST", "/storage/v1/b", {"name": bucket})
    client = storage.Client(PROJECT, AnonymousCredentials())
    environment = an_environment(
        cloud_env.url, buckets=buckets, bigquery={"dataset": f"dataset_{name}"}
    )
    return Service(cloud_env, environment, open_objects("gs://", client))


@pytest.fixture
def reschedules(service: Service) -> Service:
    """The same where the triggerer cannot import this package."""
    return changed(service, airflow={"deferrable": False})


@pytest.fixture
def stuck(cloud_env: LocalCloud) -> Iterator[None]:
    """Pipelines in the bucket `stuck` are never handed out."""
    cloud_env.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    yield
    cloud_env.heal()


def changed(service: Service, **environment: Any) -> Service:
    """The service in an environment with some keys replaced."""
    parts = service.environment.model_dump(mode="json")
    for section, keys in environment.items():
        parts[section] |= keys
    return Service(
        service.cloud, EnvironmentSpec.model_validate(parts), service.objects, service.spec
    )
