"""The identity of a release is derived from what it depends on."""

from __future__ import annotations

from datetime import date

import pytest

from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from beam_jobs.runs.release import Action, ReleasePlan
from beam_jobs.spec import ServiceSpec
from tests.support.release_plans import a_plan, released_service
from tests.support.specs import a_service

HELD_OUT = InputObject(uri="gs://input/held_out.csv", generation=7, size=10)


def night(spec: ServiceSpec) -> RunPlan:
    pin = ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64)
    return build_plan(spec, date(2026, 1, 5), None, [], pin, "gs://scoring-work/weights/runs")


@pytest.mark.parametrize(
    "other",
    [
        a_plan("v3", "v1"),
        a_plan("v2", "v0"),
        a_plan("v2", None),
        a_plan("v2", "v1", Action.ROLL_BACK),
        a_plan("v2", "v1").model_copy(update={"held_out": HELD_OUT}),
        a_plan("v2", "v1").model_copy(update={"code_version": "1" * 12}),
        a_plan("v2", "v1").model_copy(update={"spec": released_service(tolerance=1)}),
    ],
)
def test_another_release_has_another_key(other: ReleasePlan) -> None:
    assert other.key != a_plan("v2", "v1").key


def test_the_same_release_is_found_wherever_its_files_lie() -> None:
    plan = a_plan("v2", "v1")
    assert plan.model_copy(update={"root": "elsewhere"}).key == plan.key
    assert ReleasePlan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.uri == f"gs://scoring-work/weights/releases/{plan.key}/plan.json"


def test_no_night_is_another_for_how_models_are_released() -> None:
    plain = night(a_service())
    assert night(released_service()).run_key == plain.run_key
    assert night(released_service({"source": "vertex_registry"})).run_key == plain.run_key
    assert night(released_service({"batch_rows": 7})).run_key != plain.run_key
