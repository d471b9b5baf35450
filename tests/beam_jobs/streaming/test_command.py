"""`python -m beam_jobs.streaming`, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from beam_jobs.objects import open_objects
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import StreamingPlan, build_streaming_plan
from beam_jobs.streaming.arguments import Arguments, parse_arguments
from beam_jobs.streaming.main import main, streaming_options
from tests.support.local_cloud import LocalCloud
from tests.support.models import release
from tests.support.specs import a_service, an_environment

STREAMING = {"topic": "requests", "subscription": "requests-sub"}


@pytest.fixture
def plan(tmp_path: Path) -> StreamingPlan:
    """Of a released model, everything in a local folder."""
    models = str(tmp_path / "models")
    manifest = release(models, "v1", open_objects(models))
    pin = ModelPin(uri=f"{models}/v1", version="v1", kind="sklearn", sha256=manifest.sha256)
    made = build_streaming_plan(a_service(streaming=STREAMING), an_environment(), pin, ())
    return made.model_copy(update={"root": str(tmp_path / "streaming")})


def a_plan(streaming: dict[str, Any], options: Sequence[str] = ()) -> StreamingPlan:
    """Of a model that nobody looks at."""
    pin = ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64)
    return build_streaming_plan(a_service(streaming=streaming), an_environment(), pin, options)


def write(plan: StreamingPlan) -> str:
    uri = f"{plan.root}/plan.json"
    open_objects(uri).put(uri, plan.model_dump_json().encode())
    return uri


def refused(capsys: pytest.CaptureFixture[str], uri: str) -> str:
    """What is said when there is no sense in starting."""
    assert main(["--plan", uri]) == 2
    return capsys.readouterr().err


def test_a_plan_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "/nowhere/plan.json" in refused(capsys, "/nowhere/plan.json")


def test_what_is_no_plan_is_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"format": 2}')
    said = refused(capsys, str(file))
    assert f"{file} is no plan of a streaming job" in said
    assert "Remedy: make the plan anew" in said


def test_a_spec_without_streaming_is_refused(
    plan: StreamingPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = write(plan.model_copy(update={"spec": a_service()}))
    assert "has no section streaming" in refused(capsys, uri)


def test_a_plan_of_other_code_is_refused(
    plan: StreamingPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = write(plan.model_copy(update={"code_version": "0" * 12}))
    assert "made with code version 000000000000" in refused(capsys, uri)


def test_a_model_that_changed_since_is_refused(
    plan: StreamingPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = plan.model.model_copy(update={"sha256": "0" * 64})
    uri = write(plan.model_copy(update={"model": pin}))
    assert "changed since the run was resolved" in refused(capsys, uri)


def test_a_model_that_does_not_fit_the_contract_is_refused(
    plan: StreamingPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = [{"name": "id", "type": "string"}, {"name": "height", "type": "float"}]
    spec = a_service(streaming=STREAMING, input={"fields": fields})
    assert "does not fit service weights" in refused(
        capsys, write(plan.model_copy(update={"spec": spec}))
    )


def test_only_dataflow_runs_it(plan: StreamingPlan, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Remedy: --runner=DataflowRunner" in refused(capsys, write(plan))


def test_everything_else_is_handed_to_beam() -> None:
    name = "projects/p/subscriptions/b"
    arguments = parse_arguments(["--plan=p.json", "--subscription", name, "--runner=X", "--flag"])
    assert arguments == Arguments("p.json", name, ("--runner=X", "--flag"))


def test_a_subscription_is_given_by_its_full_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--plan=p.json", "--subscription=b"])
    assert "'b' is not projects/P/subscriptions/S" in capsys.readouterr().err


def test_the_plan_says_how_the_job_runs_and_the_command_line_wins() -> None:
    pinned = ["--machine_type=small", "--labels=team=science", "--labels=slot=z", "--project=p"]
    options = streaming_options(
        a_plan(STREAMING, pinned), ["--labels=slot=a", "--machine_type=large"]
    )
    assert options.view_as(WorkerOptions).machine_type == "large"
    assert options.view_as(GoogleCloudOptions).labels == ["team=science", "slot=z", "slot=a"]
    assert options.view_as(GoogleCloudOptions).project == "p"


def test_what_an_update_needs_is_handed_to_beam() -> None:
    given = ["--update", '--transform_name_mapping={"Old": "New"}', "--extra_package=code.whl"]
    options = streaming_options(a_plan(STREAMING), given)
    assert options.view_as(GoogleCloudOptions).update is True
    assert options.view_as(GoogleCloudOptions).transform_name_mapping == {"Old": "New"}
    assert options.view_as(SetupOptions).extra_packages == ["code.whl"]


def test_an_update_of_a_job_that_is_not_there_is_refused(
    plan: StreamingPlan, cloud_env: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = write(plan)
    where = [
        f"--dataflow_endpoint={cloud_env.url}",
        "--no_auth",
        "--project=p",
        "--region=us-east1",
    ]
    command = ["--runner=DataflowRunner", *where, "--job_name=gone", "--update"]
    assert main(["--plan", uri, *command]) == 2
    assert (
        "no job gone is running in us-east1, so there is nothing to update"
        in capsys.readouterr().err
    )


def test_the_job_streams_and_gives_up_workers_that_hang_far_too_long() -> None:
    plan = a_plan({**STREAMING, "write_retry_seconds": 61})
    options = streaming_options(plan, ["--job_name=live"])
    assert options.view_as(StandardOptions).streaming is True
    assert options.view_as(WorkerOptions).element_processing_timeout_minutes == 4
    own = streaming_options(plan, ["--element_processing_timeout_minutes=9"])
    assert own.view_as(WorkerOptions).element_processing_timeout_minutes == 9


def test_help_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    said = capsys.readouterr().out
    assert "--plan" in said
    assert "--subscription" in said
