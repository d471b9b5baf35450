"""A service with a streaming job, and rounds of its DAG, task by task."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects import Objects, open_objects
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.forms.streaming import streaming_form
from nightstream.hooks.dataflow import DataflowHook
from nightstream.lifecycle.ledger import Ledger
from nightstream.streaming.ledgers import LedgerFile, ledger_uri
from nightstream.streaming.naming import Slot, live_job_name
from nightstream.streaming.revisions import declared_plan, keep
from nightstream.streaming.rounds import Decided, from_json
from nightstream.streaming_dag import streaming_dag
from tests.support.local_cloud import PROJECT, ROOT, WORKER_IMAGE, LocalCloud
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service, an_environment
from tests.support.stuck_jobs import create_stuck_job
from tests.support.turns import DagRun, Task

PERSON = "ada"


@dataclass
class Streaming:
    """One service in an environment of its own; its job's name is its own, too."""

    cloud: LocalCloud
    spec: ServiceSpec
    environment: EnvironmentSpec
    objects: Objects
    alerts_file: Path

    @property
    def dataflow(self) -> DataflowHook:
        return DataflowHook(self.environment)

    @property
    def dag(self) -> DAG:
        return streaming_dag(self.spec, self.environment)

    @property
    def ledger_file(self) -> LedgerFile:
        uri = ledger_uri(self.environment.buckets.work, self.spec.service)
        return LedgerFile(self.objects, uri)

    @property
    def ledger(self) -> Ledger:
        found, _ = self.ledger_file.read()
        assert found is not None
        return found

    @property
    def alerts(self) -> list[str]:
        """What the notifier was told."""
        return self.alerts_file.read_text().splitlines() if self.alerts_file.exists() else []

    @property
    def jobs(self) -> dict[str, str]:
        """The states of all jobs of slot a, by id."""
        name = live_job_name(self.spec.service, Slot.A)
        return {job.id: job.state for job in self.dataflow.named(name)}

    def run(self, **params: Any) -> DagRun:
        """A run of the DAG; with params, a person triggered it."""
        return DagRun(
            dag_id=self.dag.dag_id,
            params=params,
            run_after=datetime.now(UTC),
            triggering_user_name=PERSON if params else None,
        )

    def task(self, step: str, run: DagRun, try_number: int = 1) -> Task:
        """A step of a run, ready."""
        return Task(self.dag.get_task(step), run, try_number, streaming_form())

    def decided(self, run: DagRun) -> Decided:
        """Observes and decides anew."""
        self.task("observe", run).finish()
        return from_json(Decided, self.task("decide", run).finish())

    def finish(self, run: DagRun) -> DagRun:
        """The steps after `decide`."""
        decided = from_json(Decided, run.xcoms["decide", "return_value"])
        if decided.decision.acts:
            self.task("act", run).finish()
        self.task("record", run).finish()
        return run

    def round(self, **params: Any) -> DagRun:
        """A whole run of the DAG."""
        run = self.run(**params)
        self.decided(run)
        return self.finish(run)

    def declared(self) -> str:
        """The revision that is declared; all that it needs is kept."""
        plan = declared_plan(self.spec, self.environment, self.objects)
        keep(plan, self.objects)
        return plan.revision

    def stuck_job(self, revision: str) -> str:
        """A job whose pipeline is never handed out, so that it is PENDING until cancelled."""
        return create_stuck_job(self.cloud, self.spec.service, revision)


@pytest.fixture(scope="session")
def streaming_cloud(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[LocalCloud]:
    """A local cloud whose jobs read the Pub/Sub emulator."""
    arguments = ["--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}", "--pubsub", pubsub.host]
    cloud = LocalCloud(tmp_path_factory.mktemp("streaming_cloud") / "data", arguments).start()
    yield cloud
    cloud.end()


@pytest.fixture
def service(
    streaming_cloud: LocalCloud,
    pubsub: PubsubEmulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Streaming]:
    """Pipelines of the bucket `stuck` are never handed out."""
    streaming_cloud.point_clients_here(monkeypatch)
    streaming_cloud.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)
    name = f"w{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        streaming_cloud.call("POST", "/storage/v1/b", {"name": bucket})
    alerts_file = tmp_path / "alerts.txt"
    environment = an_environment(
        streaming_cloud.url,
        buckets=buckets,
        bigquery={"dataset": f"dataset_{name}"},
        airflow={"alerts": [a_file(alerts_file)]},
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
    release(f"gs://{buckets['models']}/{name}", "v1", objects)
    yield Streaming(streaming_cloud, spec, environment, objects, alerts_file)
    streaming_cloud.heal()


def a_file(path: Path) -> dict[str, Any]:
    """A notifier that writes to a file, as an environment declares it."""
    text = "{{ alert.severity }} {{ alert.service }}: {{ alert.text }}"
    return {
        "notifier": "tests.support.notifiers.FileNotifier",
        "arguments": {"path": str(path), "text": text},
    }
