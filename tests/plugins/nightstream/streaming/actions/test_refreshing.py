"""A running job is pointed to another model."""

from __future__ import annotations

import pytest

from beam_jobs.runs.streaming import ServedModel, StreamingPlan, model_uri
from nightstream.lifecycle.actions import Cancel, Refresh
from nightstream.streaming.revisions import keep
from tests.plugins.nightstream.streaming.actions.conftest import Service
from tests.support.dataflow_cloud import eventually
from tests.support.models import release


@pytest.fixture
def launched(service: Service) -> StreamingPlan:
    """The revision that the job was launched with; then there is another model."""
    service.declare(lifecycle={"upgrade": {"model": "refresh"}})
    plan = service.declared()
    models = f"gs://{service.cloud.environment.buckets.models}/{service.cloud.spec.service}"
    release(models, "v2", service.cloud.objects)
    return plan


def test_the_pointer_names_the_new_revision_and_its_model(
    service: Service, launched: StreamingPlan
) -> None:
    job, wanted = service.stuck_job(launched.revision), service.declared()

    assert service.act(Refresh(job, launched.revision, wanted.revision)) == ""

    served = ServedModel.model_validate_json(pointer(service, launched))
    assert served == ServedModel(revision=wanted.revision, model=wanted.model)
    assert served.model.version == "v2"
    assert launched.base == wanted.base
    assert service.cloud.objects.stat(wanted.uri)


def test_done_twice_the_workers_see_one_change(service: Service, launched: StreamingPlan) -> None:
    job, wanted = service.stuck_job(launched.revision), service.declared()
    action = Refresh(job, launched.revision, wanted.revision)
    uri = model_uri(service.cloud.root, launched.revision)

    assert service.act(action) == ""
    first = service.cloud.objects.stat(uri)
    assert service.act(action) == ""

    assert service.cloud.objects.stat(uri) == first


def test_an_earlier_revision_is_pointed_to_as_it_was_kept(
    service: Service, launched: StreamingPlan
) -> None:
    keep(launched, service.cloud.objects)
    job, wanted = service.stuck_job(launched.revision), service.declared()

    assert service.act(Refresh(job, launched.revision, wanted.revision)) == ""
    assert service.act(Refresh(job, launched.revision, launched.revision)) == ""

    served = ServedModel.model_validate_json(pointer(service, launched))
    assert served == ServedModel(revision=launched.revision, model=launched.model)


def test_a_revision_that_nobody_kept_and_nobody_declares_is_refused(
    service: Service, launched: StreamingPlan
) -> None:
    job = service.stuck_job(launched.revision)

    refusal = service.act(Refresh(job, launched.revision, launched.revision))

    assert "it changed meanwhile; the next round looks again" in refusal
    assert service.cloud.objects.stat(model_uri(service.cloud.root, launched.revision)) is None


def test_a_job_that_has_ended_changes_over_to_nothing(
    service: Service, launched: StreamingPlan
) -> None:
    job, wanted = service.stuck_job(launched.revision), service.declared()
    service.act(Cancel(job))
    eventually(lambda: service.cloud.dataflow.get(job).state == "CANCELLED")

    assert "is CANCELLED" in service.act(Refresh(job, launched.revision, wanted.revision))
    assert "no job" in service.act(Refresh("nobody", launched.revision, wanted.revision))


def test_the_job_of_another_revision_is_left_alone(
    service: Service, launched: StreamingPlan
) -> None:
    job, wanted = service.stuck_job("0" * 40), service.declared()

    refusal = service.act(Refresh(job, launched.revision, wanted.revision))

    assert f"was launched as {'0' * 40}, not {launched.revision}" in refusal


def pointer(service: Service, launched: StreamingPlan) -> bytes:
    return service.cloud.objects.read(model_uri(service.cloud.root, launched.revision))
