"""What the tour declares: the example service, in a DAGs folder of the tour's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beam_jobs.spec import load_environment, load_service
from beam_jobs.spec.lifecycle import LifecycleSpec
from examples.tour.declaration import ENDPOINT_SERVICE, LIFECYCLE, declare, lifecycle_lines
from local.stack import StackSettings


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    found = StackSettings.from_environment({"NIGHTSTREAM_HOME": str(tmp_path)})
    return replace(found, home=tmp_path / "tour")


def test_the_stack_reads_the_example_service_with_short_windows(settings: StackSettings) -> None:
    declared = declare(settings)

    original = load_service(settings.services / "babyweight.yaml")
    spec = load_service(declared.services / "babyweight.yaml")
    assert original.streaming is not None
    assert spec.streaming is not None
    lifecycle = LifecycleSpec.model_validate(LIFECYCLE)
    assert spec.streaming == original.streaming.model_copy(update={"lifecycle": lifecycle})
    assert spec.input == original.input


def test_a_service_beside_it_reads_the_same_nights_and_asks_an_endpoint(
    settings: StackSettings,
) -> None:
    declared = declare(settings)

    worker = load_service(declared.services / "babyweight.yaml")
    endpoint = load_service(declared.services / f"{ENDPOINT_SERVICE}.yaml")
    assert endpoint.input == worker.input
    assert endpoint.model.outputs == worker.model.outputs
    assert (worker.model.kind, endpoint.model.kind) == ("in_worker", "vertex_endpoint")
    assert endpoint.streaming is None


def test_its_rounds_follow_one_another_at_once(settings: StackSettings) -> None:
    declared = declare(settings)

    variables = {"NIGHTSTREAM_DATAFLOW_ENDPOINT": "http://localhost:1"}
    environment = load_environment(declared.dags / "environments", "local", variables)
    assert environment.airflow.reconcile_seconds == 5


def test_nothing_is_written_into_the_repository(settings: StackSettings) -> None:
    before = (settings.services / "babyweight.yaml").read_text()

    declared = declare(settings)

    assert declared.dags.is_relative_to(settings.home)
    assert (settings.services / "babyweight.yaml").read_text() == before


def test_the_reader_is_shown_what_is_declared() -> None:
    assert lifecycle_lines()[0] == "lifecycle:"
    assert any("stabilisation_seconds: 15" in line for line in lifecycle_lines())
