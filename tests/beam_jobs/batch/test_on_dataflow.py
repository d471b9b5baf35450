"""The job as it is launched in production: submitted by the unmodified DataflowRunner."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from beam_jobs.objects import Objects, open_objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.versions import publish_version
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from examples.babyweight.nights import make_night, upload_night
from tests.support.local_cloud import PROJECT, ROOT, LocalCloud
from tests.support.scored_night import SCORE_DATE, babyweight

IMAGE = "nightstream-worker:test"
NIGHT = make_night(date(2026, 1, 1), births=200, broken=1)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    data = tmp_path_factory.mktemp("dataflow") / "cloud"
    cloud = LocalCloud(data, ["--image", f"{IMAGE}={sys.executable}:{ROOT}"]).start()
    cloud.call("POST", "/storage/v1/b", {"name": "night"})
    yield cloud
    cloud.end()


@pytest.fixture
def objects(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Objects:
    cloud.point_clients_here(monkeypatch)
    return open_objects("gs://night")


@pytest.fixture
def plan(objects: Objects, babyweight_model: tuple[ModelManifest, bytes]) -> RunPlan:
    """A night in the bucket, pinned, with its plan written."""
    upload_night(NIGHT, "gs://night/input/")
    manifest, artifact = babyweight_model
    version = publish_version("gs://night/models", manifest, artifact, objects)
    inputs = [
        InputObject(uri=item.uri, generation=item.generation, size=item.size)
        for item in objects.list("gs://night/input/")
        if item.uri.endswith(".csv")
    ]
    model = ModelPin(
        uri=version.folder, version=version.name, kind=manifest.kind, sha256=manifest.sha256
    )
    plan = build_plan(babyweight(), SCORE_DATE, None, inputs, model, "gs://night/runs")
    objects.put(RunLayout(plan.root, plan.run_key).plan, plan.model_dump_json().encode())
    return plan


@pytest.fixture
def submit(cloud: LocalCloud) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(plan: RunPlan, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "beam_jobs.batch", *arguments),
                *("--plan", RunLayout(plan.root, plan.run_key).plan),
                *("--runner=DataflowRunner", f"--dataflow_endpoint={cloud.url}", "--no_auth"),
                *(f"--project={PROJECT}", "--region=us-central1"),
                *("--temp_location=gs://night/temp", f"--sdk_container_image={IMAGE}"),
            ],
            env={**os.environ, **cloud.env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_night_is_scored_from_bucket_to_bucket(
    plan: RunPlan, objects: Objects, submit: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ended = submit(plan, "--wait", "--job_name=nightly")

    assert ended.returncode == 0, ended.stderr
    uri = RunLayout(plan.root, plan.run_key).attempt(1).manifest
    manifest = RunManifest.model_validate_json(objects.read(uri))
    assert (manifest.rows_in, manifest.rows_scored) == (NIGHT.rows, NIGHT.scored)
    assert manifest.summary.dead_by_code == NIGHT.dead
    assert manifest.job_name == "nightly"
    assert ended.stdout.splitlines()[-1] == uri


def test_an_overwritten_object_is_named_where_the_job_failed(
    plan: RunPlan, objects: Objects, submit: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    changed = plan.inputs[0].uri
    objects.put(changed, b"something else\n")

    ended = submit(plan, "--wait", "--job_name=overwritten")

    assert ended.returncode == 1
    assert f"{changed} changed since the run was resolved" in ended.stderr
    assert objects.stat(RunLayout(plan.root, plan.run_key).attempt(1).manifest) is None
