"""What the triggerer watches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string
from airflow.serialization.serialized_objects import BaseSerialization
from airflow.triggers.base import BaseTrigger, TriggerEvent

from nightstream.triggers.dataflow_job import DataflowJobTrigger
from nightstream.triggers.input import InputTrigger
from nightstream.triggers.patience import Patience
from tests.plugins.nightstream.operators.conftest import Service, service, stuck

__all__ = ["service", "stuck"]


def input_trigger(service: Service, wait: timedelta = timedelta(hours=1)) -> InputTrigger:
    bucket = service.environment.buckets.input
    return InputTrigger(
        folder=f"gs://{bucket}/weights/2026-01-05/",
        input=service.spec.input.model_dump(mode="json"),
        deadline=(datetime.now(UTC) + wait).isoformat(),
        environment=service.environment.model_dump(mode="json"),
    )


def job_trigger(
    service: Service,
    job_id: str,
    states: Sequence[str] = ("PENDING", "RUNNING"),
    until: datetime | None = None,
) -> DataflowJobTrigger:
    environment = service.environment.model_dump(mode="json")
    deadline = until.isoformat() if until else None
    return DataflowJobTrigger(job_id, list(states), environment, deadline)


def stored(trigger: BaseTrigger) -> Any:
    """The trigger as the triggerer gets it, through Airflow's own serialisation."""
    path, kwargs = trigger.serialize()
    kept = BaseSerialization.deserialize(BaseSerialization.serialize(kwargs))
    return import_string(path)(**kept)


async def fired(trigger: BaseTrigger, seconds: float) -> TriggerEvent | None:
    """The event, None where none comes in time."""
    try:
        return await asyncio.wait_for(anext(aiter(trigger.run())), seconds)
    except TimeoutError:
        return None


def test_triggers_survive_being_stored(service: Service) -> None:
    for trigger in (input_trigger(service), job_trigger(service, "j")):
        assert stored(trigger).serialize() == trigger.serialize()


def test_the_input_trigger_fires_when_the_night_is_complete(service: Service) -> None:
    service.put("a.csv")
    trigger = stored(input_trigger(service))
    assert asyncio.run(fired(trigger, 0.3)) is None

    service.put("_SUCCESS")

    assert asyncio.run(fired(trigger, 30)) is not None


def test_the_input_trigger_fires_at_the_deadline(service: Service) -> None:
    trigger = stored(input_trigger(service, wait=timedelta(seconds=0.2)))

    assert asyncio.run(fired(trigger, 30)) is not None


@pytest.mark.usefixtures("stuck")
def test_the_job_trigger_fires_when_the_job_has_left_the_states(service: Service) -> None:
    job_id = service.stuck_job(service.environment.buckets.work, {})
    trigger = stored(job_trigger(service, job_id))
    assert asyncio.run(fired(trigger, 0.3)) is None

    service.dataflow.cancel(job_id)

    event = asyncio.run(fired(trigger, 30))
    assert event is not None
    assert event.payload["state"].startswith("CANCEL")


@pytest.mark.usefixtures("stuck")
def test_the_job_trigger_fires_at_the_deadline_though_the_job_is_as_it_was(
    service: Service,
) -> None:
    job_id = service.stuck_job(service.environment.buckets.work, {})
    soon = datetime.now(UTC) + timedelta(seconds=0.2)

    assert asyncio.run(fired(stored(job_trigger(service, job_id, until=soon)), 30)) is not None
    assert service.dataflow.get(job_id).state in ("PENDING", "RUNNING")
    service.dataflow.cancel(job_id)


@pytest.mark.usefixtures("stuck")
def test_a_trigger_that_is_stopped_leaves_the_job_alone(service: Service) -> None:
    job_id = service.stuck_job(service.environment.buckets.work, {})

    assert asyncio.run(fired(stored(job_trigger(service, job_id)), 0.3)) is None
    assert service.dataflow.get(job_id).state in ("PENDING", "RUNNING")
    service.dataflow.cancel(job_id)


@pytest.mark.usefixtures("stuck")
def test_passing_errors_are_borne(service: Service) -> None:
    job_id = service.stuck_job(service.environment.buckets.work, {})
    service.cloud.inject(kind="error", path=job_id, method="GET", times=3, code=403)

    assert asyncio.run(fired(stored(job_trigger(service, job_id)), 2)) is None
    service.dataflow.cancel(job_id)


def test_errors_that_do_not_pass_are_left_to_the_task_to_show(service: Service) -> None:
    event = asyncio.run(fired(stored(job_trigger(service, "no-such-job")), 60))

    assert event is not None
    assert event.payload == {"job_id": "no-such-job", "state": "not to be seen"}


def test_patience_begins_anew_when_something_went_right() -> None:
    patience = Patience(limit=3)
    error = OSError("gone")

    assert patience.tried_by(error)
    assert patience.tried_by(error)
    patience.restored()
    assert patience.tried_by(error)
    assert patience.tried_by(error)
    assert patience.tried_by(error) is None
