"""What must be so before a job is submitted. (Jobs that run: test_old_code.)"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import bigquery

from beam_jobs.runs.streaming import live_predictions_table, model_uri
from nightstream.lifecycle.actions import Cancel, Launch, Update
from nightstream.lifecycle.ledger import OpenSlot
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.streaming.actions.conftest import Service
from tests.support.dataflow_cloud import eventually

OTHER = "0" * 40


def test_a_job_that_stands_in_the_slot_is_not_joined_by_another(service: Service) -> None:
    job, wanted = service.stuck_job(OTHER), service.declared()

    refusal = service.act(Launch(Slot.A, wanted.revision))

    assert refusal.endswith(f"({job}) stands in slot a: it is PENDING and runs revision {OTHER}")
    assert only_job(service) == job


def test_the_job_that_was_launched_just_now_is_not_launched_again(service: Service) -> None:
    wanted = service.declared()
    job = service.stuck_job(wanted.revision)

    assert service.act(Launch(Slot.A, wanted.revision)) == ""
    assert only_job(service) == job

    service.known_ids = (job,)
    assert "stands in slot a" in service.act(Launch(Slot.A, wanted.revision))


def test_only_a_running_job_is_taken_over_from(service: Service) -> None:
    wanted, job = service.declared(), service.stuck_job(OTHER)
    service.known_ids = (job,)
    update = Update(Slot.A, wanted.revision, job)

    assert "is PENDING: only a running job is updated" in service.act(update)
    service.act(Cancel(job))
    eventually(lambda: service.cloud.dataflow.get(job).state == "CANCELLED")
    assert "is CANCELLED: only a running job is updated" in service.act(update)


def test_nothing_is_updated_beside_a_stranger(service: Service) -> None:
    wanted, stranger = service.declared(), service.stuck_job(OTHER)

    assert f"({stranger}) stands" in service.act(Update(Slot.A, wanted.revision, "the-old-one"))


def test_a_slot_without_its_subscription_gets_no_job(service: Service) -> None:
    wanted = service.declared()
    service.slots[Slot.B] = OpenSlot(subscription=f"{wanted.subscription}-b")

    refusal = service.act(Launch(Slot.B, wanted.revision))

    assert f"subscription {wanted.subscription}-b does not exist. Remedy:" in refusal
    assert service.cloud.standing(Slot.B, service.ledger()) == []


def test_a_response_topic_that_is_not_there_is_told(service: Service) -> None:
    service.declare(response_topic="no-such-answers")

    refusal = service.act(Launch(Slot.A, service.declared().revision))

    assert "topic projects/nightstream-test/topics/no-such-answers does not exist" in refusal


def test_a_table_that_cannot_take_the_rows_is_told_before_anything_runs(service: Service) -> None:
    wanted, environment = service.declared(), service.cloud.environment
    name = live_predictions_table(service.cloud.spec.service)
    place = f"{environment.project}.{environment.bigquery.dataset}.{name}"
    column = bigquery.SchemaField("weight", "STRING")
    service.cloud.bigquery.create_table(bigquery.Table(place, schema=[column]))

    refusal = service.act(Launch(Slot.A, wanted.revision))

    assert name in refusal
    assert "Remedy" in refusal
    assert service.cloud.standing(Slot.A, service.ledger()) == []


def test_what_is_no_longer_declared_and_was_never_kept_is_not_launched(service: Service) -> None:
    wanted = service.declared()
    service.declare(model_timeout_seconds=61)

    refusal = service.act(Launch(Slot.A, wanted.revision))

    assert f"what is declared is {service.declared().revision} by now" in refusal
    assert "the next round looks again" in refusal


def test_a_model_that_is_gone_by_now_is_told(service: Service) -> None:
    wanted = service.declared()
    model = service.cloud.spec.model.model_copy(update={"version": "retired"})
    spec = service.cloud.spec.model_copy(update={"model": model})
    service.cloud = replace(service.cloud, spec=spec)

    assert "retired" in service.act(Launch(Slot.A, wanted.revision))


def test_what_the_launcher_refuses_is_told_in_its_words(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wanted, objects = service.declared(), service.cloud.objects
    artifact = f"{wanted.model.uri}/model.json"
    stale = model_uri(service.cloud.root, wanted.revision)
    objects.put(stale, b"{}")
    objects.create(wanted.uri, wanted.model_dump_json().encode())
    objects.delete(artifact)

    refusal = service.act(Launch(Slot.A, wanted.revision))

    assert wanted.model.uri in refusal
    assert objects.stat(stale) is None
    assert list(tmp_path.iterdir()) == []
    assert service.cloud.standing(Slot.A, service.ledger()) == []


def test_a_launcher_that_hangs_leaves_it_to_the_next_round(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.hurried(1)

    with caplog.at_level(logging.ERROR):
        assert service.act(Launch(Slot.A, service.declared().revision)) == ""

    assert "Whether there is a job is for the next round to see" in caplog.text


def only_job(service: Service) -> str:
    [job] = service.cloud.standing(Slot.A, service.ledger())
    return job.id
