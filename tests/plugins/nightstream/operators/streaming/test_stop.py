"""Draining and cancelling, only what is the service's, and only when asked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.forms.streaming import Action
from nightstream.streaming.naming import Slot
from nightstream.streaming.records import AskedFor
from tests.plugins.nightstream.operators.streaming.conftest import Streaming
from tests.support.turns import DagRun


def asking(service: Streaming, action: Action) -> DagRun:
    return DagRun(dag_id=service.dag.dag_id, params={"action": str(action)})


@pytest.mark.parametrize("action", [Action.DRAIN, Action.CANCEL])
def test_where_nothing_runs_there_is_nothing_to_do_and_no_failure(
    service: Streaming, action: Action
) -> None:
    run = asking(service, action)

    asked = AskedFor.model_validate(service.task(str(action), run).finish())

    assert (asked.action, asked.job_ids) == (action, ())
    assert service.task("await_job", run).finish() == {}


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_cancelled_job_is_seen_to_end_in_every_slot(service: Streaming, deferrable: bool) -> None:
    if not deferrable:
        service.without_triggerer()
    jobs = {service.stuck_job("0" * 40, slot) for slot in Slot}
    run = asking(service, Action.CANCEL)

    service.task("cancel", run).finish()

    assert service.task("await_job", run).finish() == dict.fromkeys(jobs, "CANCELLED")


def test_a_job_of_somebody_else_is_left_alone(service: Streaming) -> None:
    job_id = service.stuck_job("0" * 40, service="heights")

    asked = AskedFor.model_validate(service.task("cancel", asking(service, Action.CANCEL)).finish())

    assert asked.job_ids == ()
    assert service.dataflow.get(job_id).state == "PENDING"
    service.dataflow.cancel(job_id)


def test_a_job_that_does_not_run_yet_is_drained_only_then(service: Streaming) -> None:
    job_id = service.stuck_job("0" * 40)
    drain = service.task("drain", asking(service, Action.DRAIN))

    assert not drain.turn()
    assert service.dataflow.get(job_id).state == "PENDING"

    threading.Timer(0.3, service.dataflow.cancel, (job_id,)).start()
    drain.finish()
    assert service.dataflow.get(job_id).state in ("CANCELLING", "CANCELLED")


def test_a_drain_that_takes_too_long_fails_and_leaves_the_job_alone(service: Streaming) -> None:
    job_id = service.stuck_job("0" * 40)
    service.hurried(drain=1)
    run = asking(service, Action.DRAIN)
    asked = AskedFor(action=Action.DRAIN, job_ids=(job_id,), at=datetime.now(UTC))
    run.xcoms["drain", "return_value"] = asked.model_dump(mode="json")
    wait = service.task("await_job", run)

    assert not wait.turn()
    with pytest.raises(AirflowFailException, match=r"still PENDING at the deadline .* Remedy"):
        wait.finish()

    assert service.dataflow.get(job_id).state == "PENDING"
    assert f"/{job_id}?" in wait.operator.link
    service.dataflow.cancel(job_id)
