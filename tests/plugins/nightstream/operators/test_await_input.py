"""The first task of a night."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from tests.plugins.nightstream.operators.conftest import Service
from tests.support.specs import a_service
from tests.support.turns import DagRun

# Midnight in New York is long past: score_date 2026-01-05.
RUN_AFTER = datetime(2026, 1, 6, 7, 0, tzinfo=UTC)


def impatient(**input: object) -> object:
    return a_service(input={"wait_minutes": 0.001, **input})


def test_a_night_that_is_complete_is_not_waited_for(service: Service) -> None:
    service.put("a.csv")
    service.put("shop/a.csv")
    service.put("_SUCCESS")
    task = service.task("await_input")

    assert task.finish() == 2
    assert task.turns == 1
    assert task.skipped == ["cancel"]


@pytest.mark.parametrize("mode", ["service", "reschedules"])
def test_the_task_wakes_up_when_the_marker_comes(mode: str, request: pytest.FixtureRequest) -> None:
    service: Service = request.getfixturevalue(mode)
    service.put("a.csv")
    task = service.task("await_input")
    assert not task.turn()
    delivery = threading.Timer(0.3, service.put, ("_SUCCESS",))
    delivery.start()

    while not task.turn():
        task.wait()
    delivery.join()

    assert task.run.xcoms["await_input", "return_value"] == 1
    assert task.skipped == ["cancel"]


def test_a_complete_night_is_found_by_its_data_interval(service: Service) -> None:
    service.put("a.csv")
    service.put("_SUCCESS")
    run = DagRun(
        data_interval_start=datetime(2026, 1, 5, 7, tzinfo=UTC),
        data_interval_end=datetime(2026, 1, 6, 7, tzinfo=UTC),
        run_after=datetime(2026, 3, 1, tzinfo=UTC),
    )

    assert service.task("await_input", run).finish() == 1


def test_another_source_is_read_by_the_same_rule(service: Service) -> None:
    bucket = service.environment.buckets.input
    source = f"gs://{bucket}/resent"
    service.objects.put(f"{source}/b.csv", b"id,weeks\n")
    task = service.task("await_input", DagRun(params={"source": source}))
    assert not task.turn()

    service.objects.put(f"{source}/_SUCCESS", b"")

    assert task.finish() == 1


@pytest.mark.parametrize("mode", ["service", "reschedules"])
def test_a_night_without_files_fails_without_retry(
    mode: str, request: pytest.FixtureRequest
) -> None:
    service: Service = request.getfixturevalue(mode)
    service.spec = impatient()  # type: ignore[assignment]

    with pytest.raises(AirflowFailException, match=r"_SUCCESS is not there.*waited for until.*Rem"):
        service.task("await_input").finish()


def test_a_night_without_files_is_skipped_where_the_spec_says_so(service: Service) -> None:
    service.spec = impatient(when_missing="skip")  # type: ignore[assignment]

    with pytest.raises(AirflowSkipException, match="skipped, as the spec says"):
        service.task("await_input").finish()


def test_a_night_without_files_goes_on_empty_where_the_spec_says_so(service: Service) -> None:
    service.spec = impatient(when_missing="empty")  # type: ignore[assignment]
    task = service.task("await_input")

    assert task.finish() == 0
    assert task.skipped == ["cancel"]


def test_files_that_were_never_declared_complete_fail_the_night_whatever_the_spec_says(
    service: Service,
) -> None:
    service.spec = impatient(when_missing="empty")  # type: ignore[assignment]
    service.put("a.csv")

    with pytest.raises(AirflowFailException, match="1 files are there"):
        service.task("await_input").finish()


def test_a_run_that_cancels_waits_for_nothing(service: Service) -> None:
    task = service.task("await_input", DagRun(params={"cancel": True}))

    assert task.turn()
    assert task.skipped == ["resolve"]
