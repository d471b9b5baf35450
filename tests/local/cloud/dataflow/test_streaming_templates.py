"""Streaming jobs of a Flex Template: tuned in flight, updated by another launch, drained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import BUCKET, LOCATION, DataflowCloud
from tests.support.flex_templates import Templates
from tests.support.gcloud import gcloud_dataflow
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire

MIN = "runtime_updatable_params.min_num_workers"
MAX = "runtimeUpdatableParams.maxNumWorkers"
STREAMING = {"maxWorkers": 4, "additionalPipelineOptions": ["streaming"]}


class Live:
    """A job of a template and its wire."""

    def __init__(self, templates: Templates, pubsub: PubsubEmulator, name: str) -> None:
        self.cloud, self.wire = templates.cloud, Wire(pubsub)
        self.templates, self._name = templates, name
        self.job_id = self.launch(environment=STREAMING)

    def launch(self, **fields: Any) -> str:
        """The id of a launch under the job's name."""
        parameters = {
            "kind": "answering",
            "source": self.wire.requests.subscription,
            "target": self.wire.answers.topic,
        }
        launched = self.templates.launch(self._name, parameters=parameters, **fields)
        return str(launched["job"]["id"])

    def running(self) -> Live:
        assert self.cloud.await_state(self.job_id, "RUNNING", "FAILED") == "RUNNING"
        return self

    def tune(self, mask: str, **parameters: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.cloud.jobs.update(
            projectId=PROJECT,
            location=LOCATION,
            jobId=self.job_id,
            updateMask=mask,
            body={"runtimeUpdatableParams": parameters},
        ).execute()
        return changed


@pytest.fixture(scope="module")
def live(
    pubsub: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Live]]:
    folder = tmp_path_factory.mktemp("templates")
    cloud = DataflowCloud.with_image(folder / "cloud", "--pubsub", pubsub.host)
    cloud.storage.create_bucket(BUCKET)
    templates = Templates(cloud)
    yield {name: Live(templates, pubsub, name) for name in ("tuned", "updated")}
    cloud.server.end()


@pytest.fixture
def tuned(live: dict[str, Live]) -> Iterator[Live]:
    """A running job, as it was launched."""
    job = live["tuned"].running()
    yield job
    job.tune(f"{MIN},{MAX},runtime_updatable_params.worker_utilization_hint")


def test_the_bounds_of_a_running_job_are_changed_in_flight_and_kept(tuned: Live) -> None:
    changed = tuned.tune(f"{MIN},{MAX}", minNumWorkers=2, maxNumWorkers=3)
    assert changed["runtimeUpdatableParams"] == {"minNumWorkers": 2, "maxNumWorkers": 3}
    tuned.tune(MIN, minNumWorkers=1, maxNumWorkers=900)
    told = tuned.cloud.job(tuned.job_id)["runtimeUpdatableParams"]
    assert told == {"minNumWorkers": 1, "maxNumWorkers": 3}
    tuned.tune(f"{MIN},{MAX}")
    assert "runtimeUpdatableParams" not in tuned.cloud.job(tuned.job_id)


@pytest.mark.parametrize(
    ("mask", "parameters", "code", "words"),
    [
        (MIN, {"minNumWorkers": 5}, 400, "min_num_workers (5) is more than max_num_workers (4)"),
        (MIN, {"minNumWorkers": 0}, 400, "must be from 1 to 1000"),
        (MAX, {"maxNumWorkers": 1001}, 400, "must be from 1 to 1000"),
        ("labels", {}, 400, "'labels' cannot be updated in flight"),
        ("runtime_updatable_params", {}, 400, "cannot be updated in flight"),
        ("runtime_updatable_params.latency_tier", {"latencyTier": "x"}, 501, "latency_tier"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    tuned: Live, mask: str, parameters: dict[str, Any], code: int, words: str
) -> None:
    with pytest.raises(HttpError) as refused:
        tuned.tune(mask, **parameters)
    assert refused.value.status_code == code
    assert words in refused.value.reason
    assert "runtimeUpdatableParams" not in tuned.cloud.job(tuned.job_id)


def test_gcloud_updates_options_in_flight(tuned: Live) -> None:
    gcloud_dataflow(
        tuned.cloud,
        *("jobs", "update-options", tuned.job_id),
        *("--min-num-workers=2", "--max-num-workers=8", "--worker-utilization-hint=0.7"),
    )
    assert tuned.cloud.job(tuned.job_id)["runtimeUpdatableParams"] == {
        "minNumWorkers": 2,
        "maxNumWorkers": 8,
        "workerUtilizationHint": 0.7,
    }


def test_a_launch_updates_the_running_job_of_its_name_until_gcloud_drains_it(
    live: dict[str, Live],
) -> None:
    running = live["updated"].running()
    cloud, old = running.cloud, running.job_id
    running.wire.send(b"before")
    assert running.wire.words(1) == [b"answered before"]
    new = running.launch(
        update=True,
        transformNameMappings={"Answer": "Reply"},
        environment={"additionalPipelineOptions": ["streaming", "step=Reply"]},
    )
    queued = cloud.job(new)
    assert (queued["name"], queued["replaceJobId"]) == ("updated", old)
    assert cloud.await_state(old, "UPDATED", "FAILED") == "UPDATED"
    assert cloud.job(old)["replacedByJobId"] == new
    running.wire.send(b"after")
    assert running.wire.words(1) == [b"answered after"]
    updated = cloud.job(new)
    assert updated["currentState"] == "JOB_STATE_RUNNING"
    assert updated["transformNameMapping"] == {"Answer": "Reply"}
    with pytest.raises(HttpError, match="only a running job") as refused:
        running.tune(MIN, minNumWorkers=1)
    assert refused.value.status_code == 400
    late = running.templates.broken("updated", "waiting", update=True)
    assert cloud.state(late) == "QUEUED"
    gcloud_dataflow(cloud, "jobs", "drain", new)
    assert cloud.await_state(new, "DRAINED", "FAILED") == "DRAINED"
    assert f"The job to be updated, {new}, has ended." in running.templates.failure(late)
