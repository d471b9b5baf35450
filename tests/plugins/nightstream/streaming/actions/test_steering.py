"""What is asked of a job: its end, or other workers. (On running jobs: test_old_code.)"""

from __future__ import annotations

import pytest
from googleapiclient.errors import HttpError

from nightstream.lifecycle.actions import Ask, Cancel, Drain, Nothing, Tune, Wait
from nightstream.lifecycle.revisions import Workers
from tests.plugins.nightstream.streaming.actions.conftest import Service
from tests.support.dataflow_cloud import eventually

REVISION = "0" * 40
WORKERS = Workers(least=1, most=2)


def test_a_job_that_is_cancelled_twice_is_cancelled_once(service: Service) -> None:
    job = service.stuck_job(REVISION)

    assert service.act(Cancel(job)) == ""
    assert service.act(Cancel(job)) == "" or ended(service, job)

    eventually(lambda: ended(service, job))


@pytest.mark.parametrize("action", [Cancel, Drain, lambda job: Tune(job, WORKERS)])
def test_what_has_ended_refuses_in_the_services_words(service: Service, action: object) -> None:
    job = service.stuck_job(REVISION)
    service.act(Cancel(job))
    eventually(lambda: ended(service, job))
    assert callable(action)

    assert "Workflow modification failed" in service.act(action(job))
    assert service.cloud.dataflow.get(job).state == "CANCELLED"


@pytest.mark.parametrize("action", [Cancel, Drain, lambda job: Tune(job, WORKERS)])
def test_a_job_that_is_not_there_is_told(service: Service, action: object) -> None:
    assert callable(action)

    assert "nobody" in service.act(action("2026-01-01_00_00_00-nobody"))


def test_a_job_without_workers_cannot_be_tuned_yet(service: Service) -> None:
    job = service.stuck_job(REVISION)

    assert "only a running job can be updated" in service.act(Tune(job, WORKERS))


def test_a_service_that_fails_in_passing_is_no_refusal(service: Service) -> None:
    job = service.stuck_job(REVISION)
    service.server.inject(kind="error", path=f"/jobs/{job}", method="PUT", code=503, times=2)

    with pytest.raises(HttpError):
        service.act(Cancel(job))

    assert service.cloud.dataflow.get(job).state == "PENDING"


def test_doing_nothing_is_done(service: Service) -> None:
    assert [service.act(action) for action in (Nothing(), Wait(), Ask())] == ["", "", ""]


def ended(service: Service, job: str) -> bool:
    return service.cloud.dataflow.get(job).state == "CANCELLED"
