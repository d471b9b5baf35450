"""The identity of a streaming job is derived from what it depends on, and from nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import PlannedCode, StreamingPlan, build_streaming_plan
from beam_jobs.runs.wheel import wheel_name
from beam_jobs.spec import ServiceSpec
from tests.support.release_plans import RELEASE
from tests.support.specs import a_service, an_environment

Change = tuple[str, Any]
"""The path of a value in the plan, and another value for it."""

SPEC = a_service(streaming={"topic": "requests", "subscription": "requests-sub"})
PIN = ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64)
PLAN = build_streaming_plan(SPEC, an_environment(), PIN, ["--machine_type=small"])

NEUTRAL: list[Change] = [
    ("root", "gs://elsewhere/weights/streaming"),
    ("spec.description", "other words"),
    ("spec.owner", "somebody else"),
    ("spec.schedule.cron", "0 5 * * *"),
    ("spec.schedule.retries", 9),
    ("spec.audit.min_rows", 7),
    ("spec.drift.reference.psi", {"stop": 0.25}),
    ("spec.labels", {"files": "truth/*.csv", "label": "truth", "metric": "rmse"}),
    ("spec.job.workers", 5),
    ("spec.input.path", "other/{score_date}/"),
    ("spec.input.files", "*.gz"),
    ("spec.input.format", {"type": "json"}),
    ("spec.input.complete", {"rule": "quiet"}),
    ("spec.input.when_missing", "skip"),
    ("spec.input.key", "weeks"),
    ("spec.model.version", "v1"),
    ("spec.model.source", "vertex_registry"),
    ("spec.model.release", RELEASE),
    ("spec.streaming.workers", 2),
    ("spec.streaming.max_workers", 9),
    ("spec.streaming.lifecycle.state", "suspended"),
    ("spec.streaming.lifecycle.health.most_errors", 1),
    ("spec.streaming.lifecycle.upgrade.generation", 2),
    ("spec.streaming.lifecycle.upgrade.model", "hold"),
]
OF_THE_JOB: list[Change] = [
    ("code_version", "0" * 12),
    ("options", ["--machine_type=large"]),
    ("options", ["--machine_type=small", "--labels=team=science"]),
    ("project", "another"),
    ("tables.dataset", "another"),
    ("tables.location", "EU"),
    ("service", "lengths"),
    ("spec.input.fields.1.nullable", True),
    ("spec.input.fields.1.range", [0, 50]),
    ("spec.model.outputs.0.range", [0, 20]),
    ("spec.model.batch_rows", 10),
    ("spec.streaming.topic", "another"),
    ("spec.streaming.subscription", "another"),
    ("spec.streaming.response_topic", "answers"),
    ("spec.streaming.request_id.attribute", "rid"),
    ("spec.streaming.batch.rows", 10),
    ("spec.streaming.model_timeout_seconds", 5),
    ("spec.streaming.machine_type", "large"),
    ("spec.streaming.lifecycle.upgrade.model", "refresh"),
]
OF_THE_MODEL: list[Change] = [
    ("model.uri", "gs://models/weights/v2"),
    ("model.version", "v2"),
    ("model.kind", "onnx"),
    ("model.sha256", "1" * 64),
]


def changed(plan: StreamingPlan, *changes: Change) -> StreamingPlan:
    whole = copy.deepcopy(plan.model_dump(mode="json"))
    for path, value in changes:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        target: Any = whole
        for part in parents:
            target = target[part]
        target[last] = value
    return StreamingPlan.model_validate(whole)


some_neutral = st.lists(st.sampled_from(NEUTRAL), unique_by=lambda change: change[0])


@settings(deadline=None)
@given(some_neutral)
def test_what_no_streaming_job_depends_on_is_not_part_of_its_identity(
    neutral: list[Change],
) -> None:
    other = changed(PLAN, *neutral)
    assert (other.revision, other.base) == (PLAN.revision, PLAN.base)


@settings(deadline=None)
@given(some_neutral, st.sampled_from(OF_THE_JOB))
def test_what_the_job_depends_on_is_part_of_its_identity_and_of_its_base(
    neutral: list[Change], change: Change
) -> None:
    other = changed(PLAN, *neutral, change)
    assert other.revision != PLAN.revision
    assert other.base != PLAN.base


@settings(deadline=None)
@given(some_neutral, st.lists(st.sampled_from(OF_THE_MODEL), min_size=1))
def test_two_plans_that_differ_in_the_model_have_one_base(
    neutral: list[Change], change: list[Change]
) -> None:
    other = changed(PLAN, *neutral, *change)
    assert other.revision != PLAN.revision
    assert other.base == PLAN.base


def test_a_revision_is_a_label_value() -> None:
    assert len(PLAN.revision) == len(PLAN.base) == 40
    assert PLAN.revision != PLAN.base
    assert set(PLAN.revision) <= set("0123456789abcdef")


def test_a_plan_reads_back_as_it_was_written() -> None:
    again = StreamingPlan.model_validate_json(PLAN.model_dump_json())
    assert again == PLAN
    assert again.revision == PLAN.revision


def test_what_belongs_to_a_revision_lies_beside_its_plan_and_its_code_by_version() -> None:
    root = "gs://scoring-work/weights/streaming"
    folder = f"{root}/revisions/{PLAN.revision}"
    assert (PLAN.uri, PLAN.model_uri) == (f"{folder}/plan.json", f"{folder}/model.json")
    assert PLAN.code_uri == f"{root}/code/{wheel_name(PLAN.code_version)}"


def test_the_code_of_a_plan_of_another_release_is_found() -> None:
    other = {"format": 9, "root": "gs://w/s/streaming", "code_version": "abc", "more": {}}
    with pytest.raises(ValidationError):
        StreamingPlan.model_validate(other)
    assert (
        PlannedCode.model_validate(other).code_uri == f"gs://w/s/streaming/code/{wheel_name('abc')}"
    )


def test_a_job_refreshes_its_model_where_the_spec_says_so() -> None:
    assert not PLAN.refreshes
    assert changed(PLAN, ("spec.streaming.lifecycle.upgrade.model", "refresh")).refreshes


def test_what_is_left_out_of_the_spec_is_as_good_as_its_default() -> None:
    said = SPEC.model_dump(exclude_unset=True)
    said["streaming"]["max_attempts"] = 3
    plan = build_streaming_plan(
        ServiceSpec.model_validate(said), an_environment(), PIN, PLAN.options
    )
    assert plan.revision == PLAN.revision
