"""The plan of a streaming job: everything that it depends on, pinned.

Its hash is the job's revision. A revision that runs in another slot, reading another subscription,
is the same revision; so is one with other workers. With its wheel, a plan can be launched again
when other code is deployed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from beam_jobs.runs.code import code_version
from beam_jobs.runs.plan import ModelPin, Pinned
from beam_jobs.runs.wheel import wheel_name
from beam_jobs.spec.environment import EnvironmentSpec
from beam_jobs.spec.service import ServiceSpec
from beam_jobs.spec.streaming import StreamingSpec

REVISION_LENGTH = 40
"""Hex digits; label values end at 63 characters."""

_NOT_ITS_SPEC: Mapping[str, Any] = {
    "description": True,
    "owner": True,
    "input": {"path", "files", "format", "complete", "when_missing", "wait_minutes", "key"},
    "model": {"version", "source", "release"},
    "schedule": True,
    "audit": True,
    "drift": True,
    "labels": True,
    "job": True,
    "streaming": {"lifecycle", "workers", "max_workers"},
}
"""What a spec says that no streaming job depends on; its model is pinned."""


class LiveTables(Pinned):
    """Where the rows of a service's streaming job go."""

    project: str
    dataset: str
    location: str
    predictions: str
    dead_letters: str


class StreamingPlan(Pinned):
    """What one revision of a service's streaming job is."""

    format: Literal[2] = 2
    service: str
    spec: ServiceSpec
    model: ModelPin
    code_version: str
    options: tuple[str, ...]
    """Pipeline options of every launch: those that do not depend on slot, size or endpoint."""
    tables: LiveTables
    project: str
    """Of topics and subscriptions."""
    region: str
    """Where the job runs."""
    root: str
    """Folder of all that the service's streaming jobs keep in the work bucket."""

    @property
    def streaming(self) -> StreamingSpec:
        """What the spec says of streaming; a service without it has no such plan."""
        assert self.spec.streaming is not None
        return self.spec.streaming

    @property
    def refreshes(self) -> bool:
        """Whether the running job takes another model when it is pointed to one."""
        return self.streaming.lifecycle.upgrade.model == "refresh"

    @property
    def revision(self) -> str:
        """The identity of the job: derived from all that it depends on, but not from where its own
        files lie."""
        return _hash(self._identity())

    @property
    def base(self) -> str:
        """The revision but for its model: two plans of one base differ in nothing else."""
        identity = self._identity()
        del identity["model"]
        return _hash(identity)

    @property
    def uri(self) -> str:
        """Where the plan is kept."""
        return plan_uri(self.root, self.revision)

    @property
    def model_uri(self) -> str:
        """Where the running job is pointed to another model, by a ServedModel."""
        return model_uri(self.root, self.revision)

    @property
    def code_uri(self) -> str:
        """Where the wheel with its code is kept."""
        return code_uri(self.root, self.code_version)

    @property
    def subscription(self) -> str:
        """Full name of the subscription that the spec names."""
        return f"projects/{self.project}/subscriptions/{self.streaming.subscription}"

    @property
    def response_topic(self) -> str | None:
        """Full name of the topic where requests are answered."""
        topic = self.streaming.response_topic
        return None if topic is None else f"projects/{self.project}/topics/{topic}"

    def _identity(self) -> dict[str, Any]:
        exclude: Any = {"root": True, "format": True, "spec": _NOT_ITS_SPEC}
        return {**self.model_dump(mode="json", exclude=exclude), "refreshes": self.refreshes}


class PlannedCode(BaseModel):
    """What is read of a plan that another release may have written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code_version: str
    root: str

    @property
    def code_uri(self) -> str:
        """Where the wheel with the plan's code is kept."""
        return code_uri(self.root, self.code_version)


class ServedModel(Pinned):
    """The model that a running job is to score with, and the revision whose model that is."""

    revision: str
    model: ModelPin


def streaming_root(work_bucket: str, service: str) -> str:
    """Folder of all that a service's streaming jobs keep in the work bucket."""
    return f"gs://{work_bucket}/{service}/streaming"


def plan_uri(root: str, revision: str) -> str:
    """Where a revision's plan is kept, below a service's streaming folder."""
    return f"{root}/revisions/{revision}/plan.json"


def model_uri(root: str, revision: str) -> str:
    """Where the jobs that were launched as a revision are pointed to another model."""
    return f"{root}/revisions/{revision}/model.json"


def code_uri(root: str, version: str) -> str:
    """Where the wheel of a code version is kept, below a service's streaming folder."""
    return f"{root}/code/{wheel_name(version)}"


def live_predictions_table(service: str) -> str:
    """Name of the table of a service's predictions as they arrive."""
    return f"{service}_predictions_live"


def live_dead_letters_table(service: str) -> str:
    """Name of the table of the requests that could not be scored."""
    return f"{service}_dead_letters_live"


def build_streaming_plan(
    spec: ServiceSpec, environment: EnvironmentSpec, model: ModelPin, options: Iterable[str]
) -> StreamingPlan:
    """The plan of the service's streaming job with that model and the code that runs here.

    options: pipeline options of every launch.
    """
    return StreamingPlan(
        service=spec.service,
        spec=spec,
        model=model,
        code_version=code_version(),
        options=tuple(options),
        tables=LiveTables(
            project=environment.project,
            dataset=environment.bigquery.dataset,
            location=environment.bigquery.location,
            predictions=live_predictions_table(spec.service),
            dead_letters=live_dead_letters_table(spec.service),
        ),
        project=environment.project,
        region=environment.dataflow.region,
        root=streaming_root(environment.buckets.work, spec.service),
    )


def _hash(identity: Mapping[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:REVISION_LENGTH]
