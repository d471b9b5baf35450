"""Jobs that run: launched, tuned, updated in place, drained."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from google.cloud import bigquery

from beam_jobs.runs.code import code_sources, version_of
from beam_jobs.runs.streaming import StreamingPlan, live_dead_letters_table
from beam_jobs.runs.wheel import build_wheel
from nightstream.lifecycle.actions import Action, Drain, Launch, Tune, Update
from nightstream.lifecycle.revisions import Workers
from nightstream.streaming.acting import act
from nightstream.streaming.actions.cloud import Cloud
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.streaming.actions.conftest import Service
from tests.support.dataflow_cloud import eventually

_PATIENCE_S = 180
"""Jobs come up slowly on a machine that is busy."""
OLD_WORD, NEW_WORD = "was_not_json", "not_json"


@pytest.fixture
def old(service: Service) -> Iterator[StreamingPlan]:
    """A revision from before the deployed code, which called a dead letter by another word."""
    changed = "beam_jobs/runs/dead_letter.py"
    sources = dict(code_sources())
    sources[changed] = sources[changed].replace(f'"{NEW_WORD}"'.encode(), f'"{OLD_WORD}"'.encode())
    plan = service.declared().model_copy(update={"code_version": version_of(sources)})
    service.cloud.objects.create(plan.code_uri, build_wheel(sources))
    service.cloud.objects.create(plan.uri, plan.model_dump_json().encode())
    service.plans.append(plan)
    yield plan
    for job in service.cloud.standing(Slot.A, service.ledger()):
        service.cloud.dataflow.cancel(job.id)


def test_an_older_revision_runs_its_own_code_until_another_takes_over(
    service: Service, old: StreamingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever is killed leaves the launcher its files.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    launch = Launch(Slot.A, old.revision)
    kill_in_the_middle(service, launch)
    first = eventually(lambda: standing(service), _PATIENCE_S)
    assert service.act(launch) == ""
    eventually(lambda: state(service, first) == "RUNNING", _PATIENCE_S)
    assert standing(service) == first
    assert word_of(service, "before") == OLD_WORD

    tune = Tune(first, Workers(least=1, most=2))
    assert [service.act(tune), service.act(tune)] == ["", ""]
    described = service.cloud.dataflow.describe(first)
    assert described
    assert (described.least_workers, described.most_workers) == (1, 2)

    service.known_ids = (first,)
    update = Update(Slot.A, service.declared().revision, first)
    assert service.act(update) == ""
    eventually(lambda: state(service, first) == "UPDATED", _PATIENCE_S)
    second = standing(service)
    assert service.act(update) == ""
    assert standing(service) == second
    assert word_of(service, "after") == NEW_WORD

    assert service.act(Drain(second)) == ""
    assert service.act(Drain(second)) == "" or state(service, second) == "DRAINED"
    eventually(lambda: state(service, second) == "DRAINED", _PATIENCE_S)
    assert "Workflow modification failed" in service.act(Drain(second))


def kill_in_the_middle(service: Service, action: Action) -> None:
    """kill -9 of whoever takes the action, while its launcher runs."""
    cloud = Cloud(service.cloud.spec, service.cloud.environment)
    process = multiprocessing.get_context("spawn").Process(
        target=act, args=(action, service.ledger(), cloud)
    )
    process.start()
    assert process.pid
    actor = psutil.Process(process.pid)
    eventually(
        lambda: any("beam_jobs.streaming" in child.cmdline() for child in actor.children()),
        _PATIENCE_S,
    )
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def standing(service: Service) -> str:
    """The id of the only job in the slot; empty where there is none yet."""
    jobs = service.cloud.standing(Slot.A, service.ledger())
    assert len(jobs) <= 1
    return jobs[0].id if jobs else ""


def state(service: Service, job: str) -> str:
    return service.cloud.dataflow.get(job).state


def word_of(service: Service, request: str) -> str:
    """What the dead letter of a request that is no JSON is called."""
    cloud, publisher = service.cloud, service.pubsub.publisher()
    topic = f"projects/{cloud.environment.project}/topics/{cloud.streaming.topic}"
    publisher.publish(topic, b"not JSON", request_id=request).result(30)
    table = f"{cloud.environment.bigquery.dataset}.{live_dead_letters_table(cloud.spec.service)}"
    sql = f"SELECT error_code FROM `{table}` WHERE request_id = @request"
    parameter = bigquery.ScalarQueryParameter("request", "STRING", request)
    config = bigquery.QueryJobConfig(query_parameters=[parameter])
    rows = eventually(lambda: list(cloud.bigquery.query(sql, config).result()), _PATIENCE_S)
    return str(rows[0]["error_code"])
