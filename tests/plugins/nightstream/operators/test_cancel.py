"""Cancelling a night's job."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.runs import ResolvedRun
from nightstream.scoring.claims import Claim, Claims, claims_folder
from nightstream.scoring.jobs import job_labels, job_name
from tests.plugins.nightstream.operators.conftest import NIGHT, Service
from tests.support.models import release
from tests.support.turns import DagRun

pytestmark = pytest.mark.usefixtures("stuck")


@pytest.fixture
def runs(service: Service) -> list[DagRun]:
    """Two DAG runs of one night that have resolved the same work."""
    release(service.models, "v1", service.objects)
    service.put("a.csv")
    service.put("_SUCCESS")
    runs = [DagRun("manual__1"), DagRun("manual__2")]
    for run in runs:
        service.task("resolve", run).finish()
    return runs


def stick(cloud: Service, run: DagRun, **labels: str) -> str:
    resolved = ResolvedRun.model_validate(run.xcoms["resolve", "return_value"])
    name = job_name("weights", labels.get("run_key", resolved.run_key))
    return cloud.stuck_job(name, job_labels(resolved, 1) | labels)


def cancelling(**states: str) -> DagRun:
    return DagRun("manual__cancel", params={"cancel": True}, states=states)


@pytest.mark.parametrize("mode", ["service", "reschedules"])
def test_a_job_that_one_run_waits_for_is_cancelled_and_seen_to_end(
    mode: str, request: pytest.FixtureRequest, runs: list[DagRun]
) -> None:
    service: Service = request.getfixturevalue(mode)
    job_id = stick(service, runs[0])
    waiting = service.task("score", runs[0])
    waiting.turn()

    service.task("cancel", cancelling()).finish()

    assert service.dataflow.get(job_id).state == "CANCELLED"
    with pytest.raises(AirflowFailException, match="was cancelled"):
        waiting.finish()


def test_a_job_that_two_runs_wait_for_is_not_cancelled_and_both_are_named(
    service: Service, runs: list[DagRun]
) -> None:
    job_id = stick(service, runs[0])
    for run in runs:
        service.task("score", run).turn()

    with pytest.raises(AirflowFailException, match="2 DAG runs wait for it") as refused:
        service.task("cancel", cancelling()).finish()

    assert all(run.run_id in str(refused.value) for run in runs)
    assert service.dataflow.get(job_id).state in ("PENDING", "RUNNING")
    service.dataflow.cancel(job_id)


def test_a_run_that_is_over_does_not_hold_a_job(service: Service, runs: list[DagRun]) -> None:
    job_id = stick(service, runs[0])
    for run in runs:
        service.task("score", run).turn()

    service.task("cancel", cancelling(manual__2="failed")).finish()

    assert service.dataflow.get(job_id).state == "CANCELLED"


def test_a_run_that_was_deleted_does_not_hold_a_job(service: Service, runs: list[DagRun]) -> None:
    job_id = stick(service, runs[0])
    for run in runs:
        service.task("score", run).turn()
    cancel = cancelling()
    cancel.deleted = {run.run_id for run in runs}

    service.task("cancel", cancel).finish()

    assert service.dataflow.get(job_id).state == "CANCELLED"


def launch(service: Service, run: DagRun) -> None:
    """What is to be seen of a launch that has not come to a job yet."""
    key = ResolvedRun.model_validate(run.xcoms["resolve", "return_value"]).run_key
    night = claims_folder(service.environment.buckets.work, "weights", NIGHT)
    claim = Claim(dag_id=run.dag_id, run_id=run.run_id, try_number=1, attempt=1)
    Claims(service.objects, night, key).put(claim)


@pytest.mark.parametrize("mode", ["service", "reschedules"])
def test_a_job_that_is_being_launched_is_waited_for_and_cancelled(
    mode: str, request: pytest.FixtureRequest, runs: list[DagRun]
) -> None:
    service: Service = request.getfixturevalue(mode)
    launch(service, runs[0])
    cancel = service.task("cancel", cancelling())
    assert not cancel.turn()
    cancel.wait()
    assert not cancel.turn()

    job_id = stick(service, runs[0])
    waiting = service.task("score", runs[0])
    waiting.turn()
    cancel.finish()

    assert service.dataflow.get(job_id).state == "CANCELLED"


def test_a_launch_of_a_run_that_is_over_is_not_waited_for(
    service: Service, runs: list[DagRun]
) -> None:
    launch(service, runs[0])

    assert service.task("cancel", cancelling(manual__1="failed")).turn()


def test_a_launch_is_waited_for_no_longer_than_it_may_take(
    service: Service, runs: list[DagRun]
) -> None:
    launch(service, runs[0])
    dataflow = service.environment.dataflow.model_copy(update={"launch_timeout_seconds": 1})
    service.environment = service.environment.model_copy(update={"dataflow": dataflow})

    cancel = service.task("cancel", cancelling())
    cancel.finish()

    assert service.dataflow.active("weights-batch-") == ()


def test_jobs_of_other_nights_and_other_services_are_left_alone(
    service: Service, runs: list[DagRun]
) -> None:
    tomorrow = stick(service, runs[0], score_date="2026-01-06", run_key="1" * 40)
    neighbour = stick(service, runs[0], service="weights_batch", run_key="2" * 40)

    assert service.task("cancel", cancelling()).turn()

    states = {service.dataflow.get(job_id).state for job_id in (tomorrow, neighbour)}
    assert states <= {"PENDING", "RUNNING"}
    for job_id in (tomorrow, neighbour):
        service.dataflow.cancel(job_id)
