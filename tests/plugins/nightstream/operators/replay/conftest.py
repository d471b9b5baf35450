"""Nights scored by the real job in this process, published in the real local BigQuery, replayed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import apache_beam as beam
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from apache_beam.options.pipeline_options import PipelineOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.batch.pipeline import score_night
from beam_jobs.objects import open_objects
from beam_jobs.prediction.pinned import pinned_model
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from beam_jobs.spec import ServiceSpec
from nightstream.forms.replay import replay_form
from nightstream.reconciling.service import reconcile
from nightstream.replay_dag import replay_dag
from nightstream.runs import PublishedRun, ResolvedRun
from tests.plugins.nightstream.operators.conftest import NIGHT, Service
from tests.support.local_cloud import PROJECT
from tests.support.models import release
from tests.support.night_output import hand_on
from tests.support.specs import a_service
from tests.support.turns import DagRun, Task

_WEEKS: dict[str, Any] = {"name": "weeks", "type": "float"}
STRICT: list[dict[str, Any]] = [
    {"name": "id", "type": "string", "passthrough": True},
    _WEEKS | {"range": [20, 45]},
]
MENDED = [STRICT[0], _WEEKS | {"range": [1, 45]}]
LENIENT = {"max_dead_ratio": 0.9}


def weights(fields: list[dict[str, Any]]) -> ServiceSpec:
    return a_service(input={"fields": fields}, audit=LENIENT)


@dataclass
class Nights:
    """A service whose contract can be mended, and its nights."""

    service: Service
    client: bigquery.Client

    def mend(self) -> None:
        self.service = replace(self.service, spec=weights(MENDED))

    def publish(self, content: str, night: date = NIGHT, run_id: str = "nightly") -> RunManifest:
        """Scores a night of one file and publishes it, as its own DAG would."""
        uri = self.service.put("a.csv", content, night)
        info = self.service.objects.stat(uri)
        assert info is not None
        source = InputObject(uri=uri, generation=info.generation, size=info.size)
        manifest = release(self.service.models, "v1", self.service.objects)
        model = ModelPin(
            uri=f"{self.service.models}/v1", version="v1", kind="sklearn", sha256=manifest.sha256
        )
        root = f"gs://{self.service.environment.buckets.work}/weights/runs"
        plan = build_plan(self.service.spec, night, None, [source], model, root)
        self.service.objects.put(
            RunLayout(root, plan.run_key).plan, plan.model_dump_json().encode()
        )
        run = DagRun(run_id)
        scored = score(plan)
        hand_on(run, plan, scored)
        for task in ("audit", "publish", "record"):
            self.service.task(task, run).finish()
        return scored

    def task(self, task_id: str, run: DagRun) -> Task:
        """A task of the replay DAG."""
        dag = replay_dag(self.service.spec, self.service.environment)
        return Task(dag.get_task(task_id), run, form=replay_form(streaming=False))

    def resolve(self, run: DagRun) -> RunPlan | None:
        """Runs the task; the plan, None where it is skipped."""
        try:
            resolved = ResolvedRun.model_validate(self.task("resolve", run).finish())
        except AirflowSkipException:
            return None
        return RunPlan.model_validate_json(self.service.objects.read(resolved.plan_uri))

    def replay(self, run_id: str = "replay", **form: Any) -> PublishedRun | None:
        """One run of the DAG for one night, None where there was nothing to try."""
        run = DagRun(run_id, "weights_replay", params={"from_date": str(NIGHT), **form})
        plan = self.resolve(run)
        if plan is None:
            return None
        resolved = run.xcoms["resolve", "return_value"]
        hand_on(run, plan, score(plan))
        run.xcoms["resolve", "return_value"] = resolved
        return self.finish(run)

    def finish(self, run: DagRun) -> PublishedRun:
        """What follows on the score."""
        self.task("audit", run).finish()
        for task in ("publish", "record", "remember"):
            try:
                self.task(task, run).finish()
            except AirflowSkipException:
                assert task != "record"
        return PublishedRun.model_validate(run.xcoms["publish", "return_value"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """`{…}` is the dataset."""
        dataset = f"{PROJECT}.{self.service.environment.bigquery.dataset}"
        return [row.values() for row in self.client.query(query.format(dataset)).result()]

    def partition(self) -> dict[str, Any]:
        """The night as it stands, but for who scored it when."""
        return {
            "predictions": self.rows(
                "SELECT id, weeks, source_position FROM `{}.weights_predictions` ORDER BY id"
            ),
            "dead": self.rows(
                "SELECT error_code, payload, source_position FROM `{}.weights_dead_letters` "
                "ORDER BY source_position"
            ),
        }

    def differences(self, first: date = NIGHT, last: date = NIGHT) -> list[str]:
        """What keeps the books of those nights from closing."""
        found = reconcile(self.service.spec, self.service.environment, first, last)
        return [str(difference) for difference in found.differences]

    def outcomes(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT outcome, error_code, still_error_code, source_position "
            "FROM `{}.weights_replays` ORDER BY replayed_at, source_position"
        )


def score(plan: RunPlan, attempt: int = 1) -> RunManifest:
    """What the Dataflow job does, here."""
    uri = RunLayout(plan.root, plan.run_key).attempt(attempt).manifest
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    score_night(pipeline, plan, attempt, pinned_model(plan.model, plan.spec), "in-process")
    pipeline.run().wait_until_finish()
    return RunManifest.model_validate_json(open_objects(uri).read(uri))


@pytest.fixture
def nights(service: Service) -> Nights:
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    return Nights(replace(service, spec=weights(STRICT)), client)
