"""Coming to a running streaming job, and never to two."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from beam_jobs.prediction.manifest import ModelManifest
from nightstream.forms.streaming import Action
from nightstream.streaming.records import AskedFor
from tests.plugins.nightstream.operators.streaming.conftest import Streaming, prepared_by
from tests.support.turns import Task


def started(task: Task) -> list[str]:
    return list(AskedFor.model_validate(task.finish()).job_ids)


def test_a_job_of_the_revision_is_adopted_by_every_start(service: Streaming) -> None:
    run = service.prepared()
    job_id = service.stuck_job(prepared_by(run).revision)

    first, retry = service.task("start", run), service.task("start", run, try_number=2)

    assert started(first) == [job_id]
    assert started(retry) == [job_id]
    assert f"/{job_id}?" in retry.operator.link
    assert service.dataflow.ids_named(service.job_name) == {job_id}
    service.dataflow.cancel(job_id)


def test_a_job_of_another_revision_is_left_alone_and_told(service: Streaming) -> None:
    run = service.prepared()
    job_id = service.stuck_job("0" * 40)

    with pytest.raises(AirflowFailException, match=r"with revision 0{40}; .* Remedy: trigger"):
        service.task("start", run).finish()

    assert service.dataflow.get(job_id).state == "PENDING"
    service.dataflow.cancel(job_id)


@pytest.mark.parametrize("task_id", ["start", "await_job"])
def test_killing_a_task_leaves_the_job_alone(service: Streaming, task_id: str) -> None:
    run = service.prepared()
    job_id = service.stuck_job(prepared_by(run).revision)
    service.task("start", run).finish()
    task = service.task(task_id, run)
    task.turn()

    task.operator.on_kill()

    assert service.dataflow.get(job_id).state == "PENDING"
    service.dataflow.cancel(job_id)


def test_a_launch_that_came_to_nothing_in_time_is_told(service: Streaming) -> None:
    run = service.prepared()
    service.hurried(launch=1)

    with pytest.raises(AirflowException, match="no job was launched; the launcher's last lines"):
        service.task("start", run).finish()


def test_a_launch_that_was_killed_after_it_had_succeeded_is_found(service: Streaming) -> None:
    run = service.prepared()
    service.hurried(launch=1)
    jobs: list[str] = []
    stick = threading.Timer(0.3, lambda: jobs.append(service.stuck_job(prepared_by(run).revision)))
    stick.start()

    found = started(service.task("start", run))

    assert found == jobs
    service.dataflow.cancel(jobs[0])


def test_a_job_that_was_cancelled_as_soon_as_it_was_launched_is_told_and_not_launched_again(
    service: Streaming,
) -> None:
    run = service.prepared()
    job_id = service.stuck_job(prepared_by(run).revision)
    service.task("start", run).finish()
    service.dataflow.cancel(job_id)

    with pytest.raises(AirflowFailException, match="was launched and is CANCELL"):
        service.task("await_job", run).finish()

    assert service.dataflow.ids_named(service.job_name) == {job_id}


def test_a_job_that_fails_instead_of_running_is_told_with_its_errors(service: Streaming) -> None:
    run = service.prepared()
    missing = f"gs://{service.environment.buckets.work}/no/pipeline.pb"
    job_id = service.job_of(missing, prepared_by(run).revision)
    asked = AskedFor(action=Action.START, job_ids=(job_id,), at=datetime.now(UTC))
    run.xcoms["start", "return_value"] = asked.model_dump(mode="json")

    with pytest.raises(AirflowFailException, match=r"(?s)was launched and is FAILED.*pipeline"):
        service.task("await_job", run).finish()


def test_a_launch_that_is_refused_fails_without_retry_and_says_why(service: Streaming) -> None:
    run = service.prepared()
    uri = f"{service.models}/v1/model.json"
    manifest = ModelManifest.model_validate_json(service.objects.read(uri))
    replaced = manifest.model_copy(update={"sha256": "0" * 64})
    service.objects.put(uri, replaced.model_dump_json().encode())

    with pytest.raises(AirflowFailException, match=r"(?s)no job was launched.*Remedy"):
        service.task("start", run).finish()
