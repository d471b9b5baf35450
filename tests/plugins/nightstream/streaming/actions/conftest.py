"""A service whose streaming jobs are acted upon: real APIs, real files, real subscriptions."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.runs.streaming import StreamingPlan
from nightstream.lifecycle.actions import Action
from nightstream.lifecycle.ledger import Entry, Intent, Ledger, OpenSlot, Outcome
from nightstream.streaming.acting import act
from nightstream.streaming.actions.cloud import Cloud
from nightstream.streaming.declared import revision_of_plan
from nightstream.streaming.naming import Slot, live_job_name
from nightstream.streaming.revisions import declared_plan
from tests.support.local_cloud import PROJECT, ROOT, WORKER_IMAGE, LocalCloud
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service, an_environment
from tests.support.stuck_jobs import create_stuck_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Service:
    """One service in an environment of its own, and the ledger that its actions stand on."""

    server: LocalCloud
    pubsub: PubsubEmulator
    cloud: Cloud
    known_ids: tuple[str, ...] = ()
    """Jobs that were seen before the action."""
    slots: dict[Slot, OpenSlot] = field(default_factory=dict)
    plans: list[StreamingPlan] = field(default_factory=list)
    """Of the revisions that the ledger knows."""

    def act(self, action: Action) -> str:
        refusal = act(action, self.ledger(), self.cloud)
        return refusal.reason if refusal else ""

    def ledger(self) -> Ledger:
        intent = Intent(
            slot=Slot.A, revision="", replaces=None, known_ids=self.known_ids, expires_at=NOW
        )
        entries = {
            plan.revision: Entry(revision=revision_of_plan(plan), times={Outcome.PROPOSED: NOW})
            for plan in self.plans
        }
        return Ledger(
            service=self.cloud.spec.service, entries=entries, slots=self.slots, intent=intent
        )

    def declared(self) -> StreamingPlan:
        """What is declared by now; the ledger knows it."""
        plan = declared_plan(self.cloud.spec, self.cloud.environment, self.cloud.objects)
        self.plans.append(plan)
        return plan

    def declare(self, **streaming: Any) -> None:
        """Changes the spec's section."""
        given = self.cloud.spec.model_dump(mode="json", exclude_unset=True)
        spec = type(self.cloud.spec).model_validate(
            {**given, "streaming": {**given["streaming"], **streaming}}
        )
        self.cloud = replace(self.cloud, spec=spec)

    def hurried(self, seconds: int) -> None:
        """Gives launchers less time."""
        keys = {"launch_timeout_seconds": seconds}
        dataflow = self.cloud.environment.dataflow.model_copy(update=keys)
        environment = self.cloud.environment.model_copy(update={"dataflow": dataflow})
        self.cloud = replace(self.cloud, environment=environment)

    def job_name(self, slot: Slot = Slot.A) -> str:
        return live_job_name(self.cloud.spec.service, slot)

    def stuck_job(self, revision: str, slot: Slot = Slot.A) -> str:
        """A job whose pipeline is never handed out, so that it is PENDING until cancelled."""
        return create_stuck_job(self.server, self.cloud.spec.service, revision, slot)


@pytest.fixture(scope="session")
def acting_server(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[LocalCloud]:
    """A local cloud whose jobs read the Pub/Sub emulator, and never get pipelines of `stuck`."""
    arguments = ["--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}", "--pubsub", pubsub.host]
    server = LocalCloud(tmp_path_factory.mktemp("acting") / "data", arguments).start()
    server.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    yield server
    server.end()


@pytest.fixture
def service(
    acting_server: LocalCloud, pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch
) -> Service:
    acting_server.point_clients_here(monkeypatch)
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)
    name = f"w{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        acting_server.call("POST", "/storage/v1/b", {"name": bucket})
    environment = an_environment(
        acting_server.url, buckets=buckets, bigquery={"dataset": f"dataset_{name}"}
    )
    bigquery.Client(PROJECT, AnonymousCredentials()).create_dataset(environment.bigquery.dataset)
    paths = pubsub.create(f"{name}-requests", f"{name}-scoring", ack_deadline_seconds=60)
    streaming = {
        "topic": f"{name}-requests",
        "subscription": f"{name}-scoring",
        "request_id": {"attribute": "request_id"},
    }
    cloud = Cloud(a_service(name, streaming=streaming), environment)
    release(f"gs://{buckets['models']}/{name}", "v1", cloud.objects)
    slots = {Slot.A: OpenSlot(subscription=paths.subscription)}
    return Service(acting_server, pubsub, cloud, slots=slots)
