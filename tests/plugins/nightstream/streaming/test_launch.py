"""How a streaming job is named, labelled and launched."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.spec.streaming import StreamingSpec
from nightstream.jobs.job import Job
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.streaming.launch import Submission, launch_command, pinned_options
from nightstream.streaming.naming import Slot, jobs_of, live_job_labels, live_job_name
from tests.support.specs import an_environment

REVISION = "0123456789" * 4
SUBSCRIPTION = "projects/nightstream-test/subscriptions/weights-scoring"
SERVICES = st.from_regex(r"[a-z]([a-z0-9_]{0,38}[a-z0-9])?", fullmatch=True)


def a_submission(renamed: Mapping[str, str] | None = None) -> Submission:
    place = Place(
        project="nightstream-test",
        region="us-east1",
        topic="weights",
        subscription=SUBSCRIPTION,
    )
    revision = Revision(
        id=REVISION,
        model_version="v1.2",
        place=place,
        topology="1",
        base=REVISION,
        workers=Workers(least=2, most=5),
    )
    return Submission(
        service="baby_weight",
        slot=Slot.B,
        revision=revision,
        plan_uri="gs://scoring-work/plan.json",
        subscription=f"{SUBSCRIPTION}-b",
        wheel=Path("/code/code.whl"),
        renamed=renamed,
    )


def test_the_plan_pins_what_the_job_runs_on_and_as_whom() -> None:
    streaming = StreamingSpec(
        topic="weights", subscription="weights-scoring", machine_type="n2-standard-2"
    )
    environment = an_environment(
        "http://localhost:9",
        dataflow={
            "worker_image": "image:1",
            "service_account": "worker@example",
            "public_ips": False,
            "labels": {"team": "science"},
            "submit_options": {"experiments": "use_runner_v2"},
        },
    )

    assert pinned_options(streaming, environment) == [
        "--enable_streaming_engine",
        "--machine_type=n2-standard-2",
        "--sdk_container_image=image:1",
        "--service_account_email=worker@example",
        "--no_use_public_ips",
        "--labels=team=science",
        "--experiments=use_runner_v2",
    ]


def test_the_command_says_what_is_of_the_moment_and_where_the_revision_runs() -> None:
    command = launch_command(a_submission(), an_environment("http://localhost:9"))

    assert command == [
        *(sys.executable, "-P", "-m", "beam_jobs.streaming"),
        "--plan=gs://scoring-work/plan.json",
        f"--subscription={SUBSCRIPTION}-b",
        "--runner=DataflowRunner",
        "--job_name=baby-weight-live-b",
        "--project=nightstream-test",
        "--region=us-east1",
        "--temp_location=gs://scoring-work/dataflow/temp",
        "--staging_location=gs://scoring-work/dataflow/staging",
        "--dataflow_endpoint=http://localhost:9",
        "--no_auth",
        "--num_workers=2",
        "--max_num_workers=5",
        "--labels=service=baby_weight",
        "--labels=slot=b",
        f"--labels=revision={REVISION}",
        "--labels=model_version=v1-2",
        "--extra_package=/code/code.whl",
    ]


def test_an_update_says_so_and_which_steps_were_renamed() -> None:
    environment = an_environment()

    assert launch_command(a_submission(renamed={}), environment)[-1:] == ["--update"]
    assert launch_command(a_submission(renamed={"Old": "New"}), environment)[-2:] == [
        "--update",
        '--transform_name_mapping={"Old": "New"}',
    ]


@given(SERVICES, SERVICES, st.sampled_from(Slot), st.sampled_from(Slot))
def test_names_are_legal_and_no_two_jobs_share_one(
    one: str, other: str, slot: Slot, its: Slot
) -> None:
    name = live_job_name(one, slot)

    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert (name == live_job_name(other, its)) == ((one, slot) == (other, its))


def test_a_job_that_only_bears_the_name_is_not_the_services() -> None:
    ours = Job("1", "weights-live-a", "RUNNING", live_job_labels("weights", Slot.A, REVISION, "v1"))
    stranger = Job("2", "weights-live-a", "RUNNING", {"service": "heights"})

    assert jobs_of("weights", [ours, stranger, Job("3", "weights-live-a", "RUNNING", {})]) == [ours]
