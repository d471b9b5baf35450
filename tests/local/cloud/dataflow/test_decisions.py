"""The pure cores: states, outcomes, images, pages and what is kept on disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from local.cloud.config import WorkerImage
from local.cloud.dataflow import enums, states, views
from local.cloud.dataflow.catalog import Catalog
from local.cloud.dataflow.folder import JobFolder, Plan, Status
from local.cloud.dataflow.images import stand_in
from local.cloud.dataflow.outcome import EXIT_LOST, Ending, Verdict, outcome_of, verdict
from local.cloud.dataflow.request import job_of, workers_of
from local.cloud.dataflow.tuning import tuned
from local.cloud.http import ApiError
from local.cloud.supervised import now

EARLIER, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.000000Z"
PLAN = Plan(sys.executable, (), 1)
STREAMING = "JOB_TYPE_STREAMING"


def job(**fields: Any) -> dict[str, Any]:
    options = {"pipelineUrl": "gs://b/pipeline.pb"}
    environment = {"sdkPipelineOptions": {"options": options}}
    return {"name": "night", "type": 1, "environment": environment, **fields}


def folder(path: Path) -> JobFolder:
    return JobFolder.create(path / "a-job", {"id": "a-job"}, PLAN, Status(states.PENDING, now()))


@pytest.mark.parametrize("state", sorted(states.TERMINAL))
def test_an_ended_job_stays_what_it_is(state: str) -> None:
    status = Status(state, EARLIER)
    assert states.observed(status, Status(states.CANCELLED, LATER), False) == status


def test_a_supervised_job_that_shall_end_is_cancelling() -> None:
    running = Status(states.RUNNING, EARLIER, EARLIER)
    requested = Status(states.CANCELLED, LATER)
    assert states.observed(running, None, True) == running
    assert states.observed(running, requested, True) == Status(states.CANCELLING, LATER, EARLIER)


@pytest.mark.parametrize(
    ("requested", "end"),
    [(None, states.FAILED), (Status(states.CANCELLED, EARLIER), states.CANCELLED)],
)
def test_a_job_left_behind_is_settled_by_what_was_asked(requested: Status | None, end: str) -> None:
    running = Status(states.RUNNING, EARLIER, EARLIER)
    assert states.observed(running, requested, False) is None
    assert states.settled(running, requested, LATER) == Status(end, LATER, EARLIER)


@pytest.mark.parametrize(
    ("state", "requested", "job_type", "precondition"),
    [
        *[(ended, states.CANCELLED, STREAMING, True) for ended in sorted(states.TERMINAL)],
        *[(ended, states.DRAINED, STREAMING, True) for ended in sorted(states.TERMINAL)],
        (states.RUNNING, states.DRAINED, "JOB_TYPE_BATCH", True),
        (states.QUEUED, states.DRAINED, "JOB_TYPE_UNKNOWN", True),
        (states.CANCELLING, states.DRAINING, STREAMING, True),
        (states.RUNNING, states.DONE, "JOB_TYPE_BATCH", False),
        (states.RUNNING, states.UPDATED, STREAMING, False),
    ],
)
def test_an_illegal_request_is_refused(
    state: str, requested: str, job_type: str, precondition: bool
) -> None:
    with pytest.raises(states.Refusal) as refused:
        states.check_request(state, requested, job_type)
    assert refused.value.precondition is precondition


@pytest.mark.parametrize(
    ("state", "requested", "wanted"),
    [
        (states.QUEUED, states.CANCELLED, states.CANCELLED),
        (states.PENDING, states.DRAINING, states.DRAINED),
        (states.DRAINING, states.DRAINED, None),
        (states.CANCELLING, states.CANCELLED, None),
        (states.DRAINING, states.CANCELLED, states.CANCELLED),
    ],
)
def test_a_legal_request_is_heard_once(state: str, requested: str, wanted: str | None) -> None:
    states.check_request(state, requested, STREAMING)
    assert states.to_request(state, requested) == wanted


@pytest.mark.parametrize(
    ("state", "job_type"),
    [
        (states.PENDING, STREAMING),
        (states.DRAINING, STREAMING),
        *[(ended, STREAMING) for ended in sorted(states.TERMINAL)],
        (states.RUNNING, "JOB_TYPE_BATCH"),
    ],
)
def test_only_a_running_streaming_job_is_tuned(state: str, job_type: str) -> None:
    with pytest.raises(states.Refusal):
        states.check_tuning(state, job_type)
    states.check_tuning(states.RUNNING, STREAMING)


@given(
    some.none() | some.integers(1, 1000),
    some.dictionaries(
        some.sampled_from(["minNumWorkers", "maxNumWorkers"]), some.integers(1, 1000), max_size=2
    ),
    some.dictionaries(
        some.sampled_from(["minNumWorkers", "maxNumWorkers"]), some.integers(1, 1000), min_size=1
    ),
)
def test_tuning_sets_what_the_mask_names_or_keeps_everything(
    submitted: int | None, current: dict[str, int], given_now: dict[str, int]
) -> None:
    mask = ",".join(f"runtimeUpdatableParams.{name}" for name in given_now)
    wanted = {**current, **given_now}
    least, most = wanted.get("minNumWorkers", 1), wanted.get("maxNumWorkers", submitted or 1000)
    if least > most:
        with pytest.raises(ApiError, match="is more than"):
            tuned(current, mask, given_now, submitted)
    else:
        assert tuned(current, mask, given_now, submitted) == wanted


def test_only_lost_processes_are_retried_and_four_times_at_most() -> None:
    lost = outcome_of(-9, "")
    assert lost.cause == "the job process was ended by SIGKILL"
    assert [verdict(lost, attempt) for attempt in (1, 2, 3, 4)] == [
        *[Verdict.RETRY] * 3,
        Verdict.FAILED,
    ]
    assert outcome_of(EXIT_LOST, "a worker").ending is Ending.LOST
    assert verdict(outcome_of(1, "an error"), 1) is Verdict.FAILED
    assert verdict(outcome_of(0, ""), 4) is Verdict.DONE
    assert verdict(outcome_of(None, ""), 1) is Verdict.CANCELLED


@given(some.lists(some.integers(), max_size=30), some.integers(1, 10))
def test_pages_hold_every_item_once_in_order(items: list[int], size: int) -> None:
    seen: list[int] = []
    token: str | None = ""
    while token is not None:
        page, token = views.page(items, str(size), token, most=7)
        assert len(page) <= min(size, 7)
        seen += page
    assert seen == items


@pytest.mark.parametrize("token", ["-1", "next", "1.5"])
def test_a_page_token_of_another_making_is_refused(token: str) -> None:
    with pytest.raises(ApiError):
        views.page([1, 2], None, token, most=1)


@given(some.sampled_from(enums.JOB_STATE))
def test_enums_come_by_name_and_by_number(name: str) -> None:
    number = enums.JOB_STATE.index(name)
    for value in (name, number, str(number), float(number)):
        assert enums.name_of(value, enums.JOB_STATE, "state") == name


def accepted(labels: dict[str, str]) -> bool:
    try:
        return bool(job_of(job(labels=labels)))
    except ApiError:
        return False


@given(some.text("abcxyz019_-é", max_size=63))
def test_lower_case_letters_digits_and_dashes_are_a_label_value(value: str) -> None:
    assert accepted({"key": value})


@given(some.text(some.characters(codec="utf-8"), max_size=70))
def test_a_label_value_is_lower_case_and_short(value: str) -> None:
    if len(value) > 63 or value != value.lower() or not value.isprintable() or " " in value:
        assert not accepted({"key": value})
    assert not accepted({"key": value + "A"})


def test_workers_are_as_many_as_asked_for_and_one_otherwise() -> None:
    def environment(pool: dict[str, Any]) -> dict[str, Any]:
        return {"environment": {**job()["environment"], "workerPools": [pool]}}

    assert workers_of(job_of(job(**environment({"numWorkers": 3})))) == 3
    scaling = {"autoscalingSettings": {"maxNumWorkers": 9}}
    assert workers_of(job_of(job(**environment(scaling)))) == 1


def test_images_stand_in_by_name() -> None:
    known = {"mine:1": WorkerImage("/usr/bin/python", ("/code",))}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    beam = f"gcr.io/cloud-dataflow/v1beta3/beam_python{python}_sdk:2.77.0"
    assert stand_in({"mine:1"}, known) == known["mine:1"]
    assert stand_in({beam}, known) == WorkerImage(sys.executable)
    with pytest.raises(ApiError, match=r"--image apache/beam_python2\.7_sdk=PYTHON"):
        stand_in({"apache/beam_python2.7_sdk"}, known)
    with pytest.raises(ApiError, match="several worker images"):
        stand_in({"mine:1", beam}, known)


def test_a_message_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    kept.add_message("BASIC", "whole")
    with (kept.path / "messages.jsonl").open("a") as messages:
        messages.write('{"time": "2026')
    assert [m["messageText"] for m in kept.messages()] == ["whole"]


def test_a_lock_is_held_until_its_last_holder_ends(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    assert not kept.held()
    lock = kept.hold()
    inherited = os.dup(lock)
    os.close(lock)
    assert kept.held()
    os.close(inherited)
    assert not kept.held()


def test_a_job_whose_creation_was_cut_short_is_not_found_again(tmp_path: Path) -> None:
    (tmp_path / "half-made").mkdir()
    catalog = Catalog(tmp_path, lambda _: None)
    catalog.load()
    assert catalog.all("p", None) == []


def test_a_second_active_name_is_refused_where_the_server_is_told_to(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, lambda started: held.append(started.hold()), True)
    held: list[int] = []
    first = catalog.create("p", "l", job_of(job(clientRequestId="one")), PLAN)
    assert catalog.create("p", "l", job_of(job(clientRequestId="one")), PLAN) is first
    with pytest.raises(ApiError) as refused:
        catalog.create("p", "l", job_of(job(clientRequestId="two")), PLAN)
    assert refused.value.code == 409
    assert first.job["id"] in refused.value.message
    os.close(held.pop())
