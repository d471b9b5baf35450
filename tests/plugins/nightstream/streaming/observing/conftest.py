"""A service whose streaming jobs are looked at, on a local cloud that samples twice a second."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from beam_jobs.objects import Objects, open_objects
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.hooks.dataflow import DataflowHook
from nightstream.lifecycle.ledger import Ledger
from nightstream.lifecycle.snapshot import Snapshot
from nightstream.streaming.ledgers import LedgerFile, ledger_uri
from nightstream.streaming.naming import Slot, live_job_labels, live_job_name
from nightstream.streaming.observing import observe
from nightstream.streaming.revisions import declared_plan
from nightstream.streaming.rounds import Observed
from tests.support.dataflow_cloud import DataflowCloud, eventually
from tests.support.local_cloud import PROJECT, ROOT, WORKER_IMAGE, ObservedCloud
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service, an_environment

JOBS = f"/v1b3/projects/{PROJECT}/locations/{{region}}/jobs"


@dataclass
class Watched:
    """One service in an environment of its own; nothing of it runs."""

    cloud: ObservedCloud
    pubsub: PubsubEmulator
    spec: ServiceSpec
    environment: EnvironmentSpec
    objects: Objects

    def look(self) -> Observed:
        return observe(self.spec, self.environment)

    def snapshot(self) -> Snapshot:
        return self.look().snapshot

    @property
    def dataflow(self) -> DataflowHook:
        return DataflowHook(self.environment)

    @property
    def ledgers(self) -> LedgerFile:
        return LedgerFile(
            self.objects, ledger_uri(self.environment.buckets.work, self.spec.service)
        )

    def write(self, ledger: Ledger, **changes: object) -> None:
        """Replaces whatever ledger there is."""
        _, generation = self.ledgers.read()
        self.ledgers.swap(ledger.model_copy(update=changes), generation)

    @property
    def subscription(self) -> str:
        assert self.spec.streaming is not None
        return f"projects/{PROJECT}/subscriptions/{self.spec.streaming.subscription}"

    @property
    def models(self) -> str:
        return f"gs://{self.environment.buckets.models}/{self.spec.service}"

    def plan(self, *, kept: bool = True) -> StreamingPlan:
        """What is declared by now, and whether it is kept for later."""
        plan = declared_plan(self.spec, self.environment, self.objects)
        if kept:
            self.objects.put(plan.uri, plan.model_dump_json().encode())
        return plan

    def declare(self, **streaming: Any) -> None:
        """Changes the spec."""
        given = self.spec.model_dump(mode="json", exclude_unset=True)
        section = {**given["streaming"], **streaming}
        self.spec = ServiceSpec.model_validate({**given, "streaming": section})

    def move(self, region: str) -> None:
        """Changes the environment's region."""
        dataflow = self.environment.dataflow.model_copy(update={"region": region})
        self.environment = self.environment.model_copy(update={"dataflow": dataflow})

    def name(self, slot: Slot = Slot.A) -> str:
        return live_job_name(self.spec.service, slot)

    def job(
        self,
        revision: str,
        slot: Slot = Slot.A,
        region: str = "us-central1",
        **more: Any,
    ) -> str:
        """A job by plain REST; it is never given its pipeline, and stays PENDING."""
        body = {
            "name": self.name(slot),
            "type": "JOB_TYPE_STREAMING",
            "labels": live_job_labels(self.spec.service, slot, revision, "v1"),
            "environment": {
                "sdkPipelineOptions": {"options": {"pipelineUrl": "gs://stuck/pipeline.pb"}},
                "workerPools": [{"numWorkers": 1, "autoscalingSettings": {"maxNumWorkers": 3}}],
            },
        }
        return str(self.cloud.call("POST", JOBS.format(region=region), body | more)["id"])

    def ended_job(self, revision: str, slot: Slot = Slot.A) -> str:
        """One that was cancelled."""
        job_id = self.job(revision, slot)
        self.dataflow.cancel(job_id)
        eventually(lambda: self.dataflow.get(job_id).state == "CANCELLED")
        return job_id

    def failed_job(self, revision: str) -> str:
        """One whose supervisor was killed; it says so in an error message."""
        job_id = self.job(revision)
        cloud = DataflowCloud(self.cloud)
        [supervisor] = eventually(lambda: cloud.processes(job_id, "supervisor"))
        supervisor.kill()
        eventually(lambda: self.dataflow.get(job_id).state == "FAILED")
        return job_id

    def stop(self) -> None:
        """Cancels all that stands, in any region."""
        listed = self.cloud.call("GET", f"/v1b3/projects/{PROJECT}/jobs:aggregated?filter=ACTIVE")
        for job in listed["jobs"]:
            if job["name"] in map(self.name, Slot):
                path = f"{JOBS.format(region=job['location'])}/{job['id']}"
                self.cloud.call("PUT", path, {"requestedState": "JOB_STATE_CANCELLED"})


@pytest.fixture(scope="session")
def watched_cloud(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[ObservedCloud]:
    arguments = ["--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}", "--pubsub", pubsub.host]
    arguments += ["--monitoring-interval=0.5", "--monitoring-delay=0"]
    cloud = ObservedCloud(tmp_path_factory.mktemp("watched") / "data", arguments).start()
    yield cloud
    cloud.end()


@pytest.fixture
def watched(
    watched_cloud: ObservedCloud, pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    """A test during which an answer did not fit Google's description of its APIs fails."""
    watched_cloud.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    watched_cloud.point_clients_here(monkeypatch)
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)
    name = f"w{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        watched_cloud.call("POST", "/storage/v1/b", {"name": bucket})
    environment = an_environment(watched_cloud.url, buckets=buckets)
    objects = open_objects("gs://", storage.Client(PROJECT, AnonymousCredentials()))
    pubsub.create(f"{name}-requests", f"{name}-scoring", ack_deadline_seconds=60)
    streaming = {"topic": f"{name}-requests", "subscription": f"{name}-scoring"}
    made = Watched(
        watched_cloud, pubsub, a_service(name, streaming=streaming), environment, objects
    )
    release(made.models, "v1", objects)
    yield made
    watched_cloud.heal()
    made.stop()
    watched_cloud.verify()
