"""A worker process that dies in the middle of the night's job costs time, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from examples.babyweight.nights import HEADER, make_night
from examples.babyweight.train import build_version
from tests.support.dataflow_cloud import LOCATION, DataflowCloud, eventually
from tests.support.local_cloud import PROJECT, ROOT, WORKER_IMAGE, LocalCloud
from tests.support.scored_night import SCORE_DATE, NightFolder, Scored

COPIES = 300
SMALL_BATCHES = {"batch_rows": 256}
"""So that the job lasts long enough to be met in its middle."""


@pytest.fixture
def cloud(local_cloud: LocalCloud) -> DataflowCloud:
    local_cloud.call("POST", "/storage/v1/b", {"name": "lost-worker"})
    return DataflowCloud(local_cloud)


def submitted(cloud: DataflowCloud, plan: Path) -> str:
    """The id of the job, submitted as the nightly DAG does, on two worker processes."""
    options = {
        "runner": "DataflowRunner",
        "dataflow_endpoint": cloud.server.url,
        "project": PROJECT,
        "region": LOCATION,
        "temp_location": "gs://lost-worker/temp",
        "job_name": "lost-worker",
        "sdk_container_image": WORKER_IMAGE,
        "num_workers": 2,
    }
    command = [sys.executable, "-m", "beam_jobs.batch", "--plan", str(plan), "--no_auth"]
    launched = subprocess.run(
        [*command, *(f"--{name}={value}" for name, value in options.items())],
        env={**os.environ, **cloud.server.env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr
    found = re.search(r"Dataflow job (\S+);", launched.stdout)
    assert found, launched.stdout
    return found[1]


@pytest.mark.long
def test_every_row_is_accounted_for_once_after_a_worker_is_killed(
    cloud: DataflowCloud, tmp_path: Path
) -> None:
    night = make_night(SCORE_DATE, files=1)
    [content] = night.files.values()
    rows = content.removeprefix(f"{HEADER}\n".encode())
    folder = NightFolder(tmp_path, build_version("sklearn", "v1"))
    folder.write("night.csv", f"{HEADER}\n".encode() + rows * COPIES)
    plan = folder.plan(job={"split_bytes": 1024 * 1024}, model=SMALL_BATCHES)
    layout = RunLayout(plan.root, plan.run_key)
    Path(layout.folder).mkdir(parents=True)
    Path(layout.plan).write_text(plan.model_dump_json())

    job_id = submitted(cloud, Path(layout.plan))
    eventually(lambda: cloud.counters(job_id).get("rows_scored"))
    victim = cloud.processes(job_id, "worker.harness")[-1]
    victim.kill()

    assert cloud.await_state(job_id, "DONE", "FAILED") == "DONE"
    [lost] = cloud.warnings(job_id)
    assert lost["messageText"].startswith("Attempt 1 of 4 was lost: worker process")
    manifest = RunManifest.model_validate_json(Path(layout.attempt(1).manifest).read_bytes())
    assert manifest.rows_in == night.rows * COPIES
    assert manifest.rows_scored == night.scored * COPIES
    assert manifest.summary.dead_by_code == {
        code: count * COPIES for code, count in night.dead.items()
    }
    predictions = Scored(plan, manifest, {}).predictions
    assert len(predictions) == manifest.rows_scored
    assert not predictions.duplicated(["source_uri", "source_position"]).any()
