"""How a streaming job is named, labelled and launched."""

from __future__ import annotations

import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.spec.streaming import StreamingSpec
from nightstream.jobs.job import Job
from nightstream.streaming.launch import launch_command, pinned_options
from nightstream.streaming.naming import Slot, jobs_of, live_job_labels, live_job_name
from nightstream.streaming.records import PreparedJob
from tests.support.specs import an_environment

REVISION = "0123456789" * 4
SUBSCRIPTION = "projects/nightstream-test/subscriptions/weights-scoring"
SERVICES = st.from_regex(r"[a-z]([a-z0-9_]{0,38}[a-z0-9])?", fullmatch=True)


def prepared() -> PreparedJob:
    return PreparedJob(
        service="baby_weight",
        revision=REVISION,
        plan_uri="gs://scoring-work/plan.json",
        subscription=SUBSCRIPTION,
        model_version="v1.2",
    )


def test_the_plan_pins_what_runs_where_and_as_whom() -> None:
    streaming = StreamingSpec(
        topic="weights", subscription="weights-scoring", machine_type="n2-standard-2"
    )
    environment = an_environment(
        "http://localhost:9", dataflow={"worker_image": "image:1", "labels": {"team": "science"}}
    )

    assert pinned_options(streaming, environment) == [
        "--enable_streaming_engine",
        "--runner=DataflowRunner",
        "--project=nightstream-test",
        "--region=us-central1",
        "--temp_location=gs://scoring-work/dataflow/temp",
        "--staging_location=gs://scoring-work/dataflow/staging",
        "--machine_type=n2-standard-2",
        "--sdk_container_image=image:1",
        "--labels=team=science",
    ]


def test_the_command_says_who_it_is_whom_to_ask_and_how_large() -> None:
    streaming = StreamingSpec(
        topic="weights", subscription="weights-scoring", workers=2, max_workers=5
    )

    environment = an_environment("http://localhost:9")
    command = launch_command(prepared(), Slot.A, streaming, environment)

    assert command == [
        sys.executable,
        "-m",
        "beam_jobs.streaming",
        "--plan=gs://scoring-work/plan.json",
        f"--subscription={SUBSCRIPTION}",
        "--job_name=baby-weight-live-a",
        "--dataflow_endpoint=http://localhost:9",
        "--no_auth",
        "--num_workers=2",
        "--max_num_workers=5",
        "--labels=service=baby_weight",
        "--labels=slot=a",
        f"--labels=revision={REVISION}",
        "--labels=model_version=v1-2",
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
