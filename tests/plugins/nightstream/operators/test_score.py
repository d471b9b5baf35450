"""From a resolved run to a finished job, on the real local Dataflow."""

from __future__ import annotations

import threading

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.runs.plan import RunPlan
from local.stack.processes import all_processes
from nightstream.runs import ResolvedRun, ScoredRun
from nightstream.scoring.claims import Claim, Claims, claims_folder
from nightstream.scoring.decision import Launch, decide
from nightstream.scoring.jobs import job_labels, job_name
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.models import release
from tests.support.turns import DagRun, Task


@pytest.fixture
def night(service: Service) -> Service:
    return prepared(service)


def prepared(service: Service) -> Service:
    """A complete night and a released model."""
    release(service.models, "v1", service.objects)
    service.put("a.csv", "id,weeks\na,40\nb,30\nc,none\n")
    service.put("_SUCCESS")
    return service


def a_run(service: Service, run_id: str = "manual__1", **params: object) -> DagRun:
    """A DAG run whose task `resolve` is done."""
    run = DagRun(run_id, params=dict(params))
    service.task("resolve", run).finish()
    return run


def resolved(run: DagRun) -> ResolvedRun:
    return ResolvedRun.model_validate(run.xcoms["resolve", "return_value"])


def layout(run: DagRun) -> RunLayout:
    return RunLayout(resolved(run).root, resolved(run).run_key)


def claims(service: Service, run: DagRun) -> list[Claim]:
    return book(service, run).all()


def book(service: Service, run: DagRun) -> Claims:
    night = claims_folder(service.environment.buckets.work, "weights", resolved(run).score_date)
    return Claims(service.objects, night, resolved(run).run_key)


def stick(service: Service, run: DagRun, attempt: int = 1) -> str:
    """A job of the run that is at it for ever."""
    name = job_name("weights", resolved(run).run_key)
    return service.stuck_job(name, job_labels(resolved(run), attempt))


def complete(service: Service, run: DagRun, attempt: int) -> None:
    """Output of an attempt whose job the service has forgotten."""
    service.objects.put(layout(run).attempt(attempt).manifest, b"{}")


def scored(task: Task) -> ScoredRun:
    return ScoredRun.model_validate(task.finish())


def test_a_job_is_launched_once_however_often_the_task_is_killed(night: Service) -> None:
    run = a_run(night)
    first = night.task("score", run)
    assert not first.turn(), "it waits for the job it launched"
    assert [claim.run_id for claim in claims(night, run)] == ["manual__1"]

    # The worker is gone; the task is tried again and finds the job.
    retry = night.task("score", run, try_number=2)
    result = scored(retry)

    jobs = night.dataflow.named(job_name("weights", resolved(run).run_key))
    manifest = RunManifest.model_validate_json(night.objects.read(result.manifest_uri))
    assert [job.id for job in jobs] == [result.job_id]
    assert jobs[0].labels == job_labels(resolved(run), 1)
    assert (result.attempt, result.reused) == (1, False)
    assert (manifest.rows_in, manifest.rows_scored, manifest.rows_dead) == (3, 2, 1)
    assert manifest.job_name == jobs[0].name
    assert f"/{result.job_id}?" in retry.operator.link
    assert claims(night, run) == []

    again = scored(night.task("score", a_run(night, "manual__2")))
    assert again.reused
    assert again.model_copy(update={"reused": False}) == result


@pytest.mark.usefixtures("stuck")
@pytest.mark.parametrize("mode", ["service", "reschedules"])
def test_a_running_job_is_adopted_and_its_cancelling_ends_the_task_without_retry(
    mode: str, request: pytest.FixtureRequest
) -> None:
    night = prepared(request.getfixturevalue(mode))
    run = a_run(night)
    job_id = stick(night, run)
    task = night.task("score", run)
    assert not task.turn()
    assert [claim.job_id for claim in claims(night, run)] == [job_id]
    threading.Timer(0.3, night.dataflow.cancel, (job_id,)).start()

    with pytest.raises(AirflowFailException, match=r"was cancelled\. Remedy: clear this task"):
        task.finish()

    assert claims(night, run) == []


@pytest.mark.usefixtures("stuck")
def test_a_cleared_task_leaves_the_job_alone_and_finds_it_again(night: Service) -> None:
    run = a_run(night)
    job_id = stick(night, run)
    killed = night.task("score", run)
    killed.turn()
    killed.operator.on_kill()

    cleared = night.task("score", run, try_number=2)

    assert not cleared.turn()
    assert night.dataflow.get(job_id).state in ("PENDING", "RUNNING")
    assert [(c.job_id, c.try_number) for c in claims(night, run)] == [(job_id, 2)]


def test_a_failed_job_is_told_with_its_errors_and_followed_by_the_next_attempt(
    reschedules: Service,
) -> None:
    night = prepared(reschedules)
    run = a_run(night)
    bucket = night.environment.buckets.work
    labels = job_labels(resolved(run), 1)
    name = job_name("weights", resolved(run).run_key)
    # Its pipeline is not there.
    body = {"sdkPipelineOptions": {"options": {"pipelineUrl": f"gs://{bucket}/no/pipeline.pb"}}}
    path = f"/v1b3/projects/{night.environment.project}/locations/us-central1/jobs"
    job = {"name": name, "type": "JOB_TYPE_BATCH", "labels": labels, "environment": body}
    claim = Claim(dag_id="weights_batch", run_id=run.run_id, try_number=1)
    job_id = night.cloud.call("POST", path, job)["id"]
    book(night, run).put(claim.model_copy(update={"job_id": job_id}))

    with pytest.raises(AirflowException, match=r"(?s)ended as FAILED without a man.*pipeline"):
        night.task("score", run).finish()

    assert claims(night, run) == []
    assert decide(night.task("score", run).operator._look(resolved(run))) == Launch(2)


def test_force_launches_the_next_attempt_though_output_is_there(night: Service) -> None:
    run = a_run(night, force=True)
    complete(night, run, attempt=1)

    with pytest.raises(AirflowException, match="attempt 2 was not launched"):
        hurried(night).task("score", run).finish()

    # The retry finds what its own launch left behind.
    complete(night, run, attempt=2)
    assert scored(night.task("score", run, try_number=2)).attempt == 2


def test_output_is_reused_though_the_service_forgot_its_job(night: Service) -> None:
    run = a_run(night)
    complete(night, run, attempt=3)

    result = scored(night.task("score", run))

    assert (result.attempt, result.job_id, result.reused) == (3, None, True)


def hurried(service: Service) -> Service:
    """The same where a launcher has no time to come to anything."""
    dataflow = service.environment.dataflow.model_copy(update={"launch_timeout_seconds": 1})
    service.environment = service.environment.model_copy(update={"dataflow": dataflow})
    return service


def test_a_launch_that_takes_too_long_is_killed_and_told(night: Service) -> None:
    run = a_run(night)

    with pytest.raises(AirflowException, match="attempt 1 was not launched"):
        hurried(night).task("score", run).finish()

    launchers = [p.info["cmdline"] for p in all_processes("cmdline")]
    assert not [line for line in launchers if f"--plan={resolved(run).plan_uri}" in (line or ())]
    assert [claim.attempt for claim in claims(night, run)] == [1]


@pytest.mark.usefixtures("stuck")
def test_a_launch_that_was_killed_after_it_had_succeeded_is_found(night: Service) -> None:
    run = a_run(night)
    jobs: list[str] = []
    threading.Timer(0.5, lambda: jobs.append(stick(night, run))).start()
    task = hurried(night).task("score", run)

    assert not task.turn()
    assert [claim.job_id for claim in claims(night, run)] == jobs
    night.dataflow.cancel(jobs[0])


def test_two_runs_that_launch_at_once_share_one_job(night: Service) -> None:
    runs = [a_run(night, "manual__1"), a_run(night, "manual__2")]
    tasks = [night.task("score", run) for run in runs]
    results: list[ScoredRun] = []
    threads = [threading.Thread(target=lambda t=task: results.append(scored(t))) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    jobs = night.dataflow.named(job_name("weights", resolved(runs[0]).run_key))
    assert len(jobs) == 1
    assert {result.job_id for result in results} == {jobs[0].id}
    assert claims(night, runs[0]) == []


def test_input_that_changed_since_it_was_resolved_fails_without_retry(
    night: Service,
) -> None:
    run = a_run(night)
    changed_uri = night.put("a.csv", "id,weeks\na,41\n")

    with pytest.raises(AirflowFailException, match=f"{changed_uri} changed since"):
        night.task("score", run).finish()


def test_workers_of_another_release_fail_the_task_without_retry(night: Service) -> None:
    run = a_run(night)
    uri = resolved(run).plan_uri
    plan = RunPlan.model_validate_json(night.objects.read(uri))
    other = plan.model_copy(update={"code_version": "0123456789ab"})
    night.objects.put(uri, other.model_dump_json().encode())

    with pytest.raises(AirflowFailException, match=r"0123456789ab, here runs .*Remedy"):
        night.task("score", run).finish()


def test_a_launch_that_is_refused_fails_the_task_without_retry_and_says_why(
    night: Service,
) -> None:
    run = a_run(night)
    uri = f"{night.models}/v1/model.json"
    manifest = ModelManifest.model_validate_json(night.objects.read(uri))
    replaced = manifest.model_copy(update={"sha256": "0" * 64})
    night.objects.put(uri, replaced.model_dump_json().encode())

    with pytest.raises(AirflowFailException, match=r"(?s)attempt 1 .*v1 changed since.*Remedy"):
        night.task("score", run).finish()

    assert claims(night, run) == []
