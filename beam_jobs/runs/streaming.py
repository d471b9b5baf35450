"""The plan of a streaming job: everything that its rows depend on, pinned.

Its hash is the job's revision. A revision that runs in another slot, reading another subscription,
is the same revision.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from beam_jobs.runs.code import code_version
from beam_jobs.runs.plan import ModelPin, Pinned
from beam_jobs.spec.environment import EnvironmentSpec
from beam_jobs.spec.service import ServiceSpec
from beam_jobs.spec.streaming import StreamingSpec

REVISION_LENGTH = 40
"""Hex digits; label values end at 63 characters."""


class LiveTables(Pinned):
    """Where the rows of a service's streaming job go."""

    project: str
    dataset: str
    location: str
    predictions: str
    dead_letters: str


class StreamingPlan(Pinned):
    """What one revision of a service's streaming job is."""

    format: Literal[1] = 1
    service: str
    spec: ServiceSpec
    model: ModelPin
    code_version: str
    tables: LiveTables
    project: str
    """Of topics and subscriptions."""
    root: str
    """Folder of all that the service's streaming jobs keep in the work bucket."""

    @property
    def streaming(self) -> StreamingSpec:
        """What the spec says of streaming; a service without it has no such plan."""
        assert self.spec.streaming is not None
        return self.spec.streaming

    @property
    def revision(self) -> str:
        """The identity of the job: derived from everything but where its own files lie."""
        identity = self.model_dump(mode="json", exclude={"root", "format"})
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:REVISION_LENGTH]

    @property
    def uri(self) -> str:
        """Where the plan is kept."""
        return f"{self.root}/revisions/{self.revision}/plan.json"

    @property
    def subscription(self) -> str:
        """Full name of the subscription that the spec names."""
        return f"projects/{self.project}/subscriptions/{self.streaming.subscription}"

    @property
    def response_topic(self) -> str | None:
        """Full name of the topic where requests are answered."""
        topic = self.streaming.response_topic
        return None if topic is None else f"projects/{self.project}/topics/{topic}"


def live_predictions_table(service: str) -> str:
    """Name of the table of a service's predictions as they arrive."""
    return f"{service}_predictions_live"


def live_dead_letters_table(service: str) -> str:
    """Name of the table of the requests that could not be scored."""
    return f"{service}_dead_letters_live"


def build_streaming_plan(
    spec: ServiceSpec, environment: EnvironmentSpec, model: ModelPin
) -> StreamingPlan:
    """The plan of the service's streaming job with that model and the code that runs here."""
    return StreamingPlan(
        service=spec.service,
        spec=spec,
        model=model,
        code_version=code_version(),
        tables=LiveTables(
            project=environment.project,
            dataset=environment.bigquery.dataset,
            location=environment.bigquery.location,
            predictions=live_predictions_table(spec.service),
            dead_letters=live_dead_letters_table(spec.service),
        ),
        project=environment.project,
        root=f"gs://{environment.buckets.work}/{spec.service}/streaming",
    )
