"""What the operators ask of Dataflow."""

from __future__ import annotations

import pytest
from googleapiclient.errors import HttpError

from tests.plugins.nightstream.operators.conftest import Service, service, stuck

__all__ = ["service", "stuck"]

pytestmark = pytest.mark.usefixtures("stuck")


def test_jobs_are_found_by_their_exact_name_with_their_labels(service: Service) -> None:
    prefix = service.environment.buckets.work
    wanted = service.stuck_job(f"{prefix}-a", {"run_key": "k", "attempt": "2"})
    longer = service.stuck_job(f"{prefix}-a-b", {})

    found = service.dataflow.named(f"{prefix}-a")

    assert [(job.id, job.labels) for job in found] == [
        (wanted, {"run_key": "k", "attempt": "2"}),
    ]
    for job_id in (wanted, longer):
        service.dataflow.cancel(job_id)


def test_jobs_that_ended_are_found_by_name_but_are_not_active(service: Service) -> None:
    name = service.environment.buckets.work
    over = service.stuck_job(name, {})
    service.dataflow.cancel(over)
    while service.dataflow.get(over).state != "CANCELLED":
        pass
    running = service.stuck_job(name, {})

    assert {job.id for job in service.dataflow.named(name)} == {over, running}
    assert [job.id for job in service.dataflow.active(name)] == [running]
    service.dataflow.cancel(running)


def test_a_job_that_is_not_there_is_an_error(service: Service) -> None:
    with pytest.raises(HttpError, match="404"):
        service.dataflow.get("2026-01-01_00_00_00-1")
