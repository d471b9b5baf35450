"""Revisions as they are kept, enough to launch one again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from beam_jobs.objects import Objects, open_objects
from beam_jobs.runs.code import code_sources, code_version
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import StreamingPlan, build_streaming_plan
from beam_jobs.runs.wheel import build_wheel
from nightstream.streaming.revisions import GoneError, keep, kept_code, kept_revision
from tests.support.specs import a_service, an_environment

PIN = ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(str(tmp_path))


@pytest.fixture
def plan(tmp_path: Path) -> StreamingPlan:
    spec = a_service(streaming={"topic": "weights", "subscription": "weights-scoring"})
    made = build_streaming_plan(spec, an_environment(), PIN, ("--machine_type=small",))
    return made.model_copy(update={"root": str(tmp_path / "streaming")})


def test_what_is_kept_is_the_plan_and_its_code(plan: StreamingPlan, objects: Objects) -> None:
    keep(plan, objects)

    kept = kept_revision(plan.root, plan.revision, objects)

    assert kept is not None
    assert kept.plan == plan
    assert kept_code(kept, objects) == build_wheel(code_sources())


def test_what_is_kept_never_changes(plan: StreamingPlan, objects: Objects) -> None:
    keep(plan, objects)
    before = [objects.stat(uri) for uri in (plan.uri, plan.code_uri)]

    spec = plan.spec.model_copy(update={"owner": "others"})
    keep(plan.model_copy(update={"spec": spec}), objects)

    assert [objects.stat(uri) for uri in (plan.uri, plan.code_uri)] == before


def test_a_task_that_was_killed_before_the_plan_left_no_revision(
    plan: StreamingPlan, objects: Objects
) -> None:
    objects.create(plan.code_uri, build_wheel(code_sources()))

    assert kept_revision(plan.root, plan.revision, objects) is None
    keep(plan, objects)
    assert kept_revision(plan.root, plan.revision, objects)


def test_of_another_releases_plan_the_code_is_found(plan: StreamingPlan, objects: Objects) -> None:
    later = {**json.loads(plan.model_dump_json()), "format": 9, "code_version": "abcdef"}
    objects.create(plan.uri, json.dumps(later).encode())
    objects.create(plan.code_uri.replace(code_version(), "abcdef"), b"a wheel")

    kept = kept_revision(plan.root, plan.revision, objects)

    assert kept is not None
    assert kept.plan is None
    assert kept_code(kept, objects) == b"a wheel"


def test_code_that_is_gone_comes_back_where_it_runs_and_is_told_elsewhere(
    plan: StreamingPlan, objects: Objects
) -> None:
    keep(plan, objects)
    objects.delete(plan.code_uri)
    kept = kept_revision(plan.root, plan.revision, objects)
    assert kept is not None

    assert kept_code(kept, objects) == build_wheel(code_sources())

    other = plan.model_copy(update={"code_version": "abcdef"})
    objects.create(other.uri, other.model_dump_json().encode())
    gone = kept_revision(other.root, other.revision, objects)
    assert gone is not None
    with pytest.raises(GoneError, match=r"version abcdef, is not in .* any more\. Remedy: deploy"):
        kept_code(gone, objects)
