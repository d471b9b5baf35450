"""The launch of a run's job."""

from __future__ import annotations

import sys

from nightstream.scoring.launch import launch_command
from tests.plugins.nightstream.scoring.test_jobs import RUN_KEY, run
from tests.support.specs import a_service, an_environment


def test_the_command_says_where_as_whom_and_on_how_many_workers() -> None:
    environment = an_environment(
        dataflow={
            "worker_image": "image:1",
            "service_account": "worker@example",
            "subnetwork": "regions/us-central1/subnetworks/a",
            "public_ips": False,
            "labels": {"team": "science"},
            "submit_options": {"experiments": "use_runner_v2", "debug": True, "quiet": False},
        }
    )
    spec = a_service(job={"workers": 2, "max_workers": 5, "machine_type": "n2-standard-4"})

    command = launch_command(run(), 3, spec, environment)

    assert command[:3] == [sys.executable, "-m", "beam_jobs.batch"]
    assert command[3:] == [
        "--plan=gs://scoring-work/plan.json",
        "--attempt=3",
        "--machine_type=n2-standard-4",
        "--sdk_container_image=image:1",
        "--service_account_email=worker@example",
        "--subnetwork=regions/us-central1/subnetworks/a",
        "--no_use_public_ips",
        "--labels=team=science",
        "--debug",
        "--experiments=use_runner_v2",
        "--runner=DataflowRunner",
        f"--job_name=weights-batch-{RUN_KEY[:12]}",
        "--project=nightstream-test",
        "--region=us-central1",
        "--temp_location=gs://scoring-work/dataflow/temp",
        "--staging_location=gs://scoring-work/dataflow/staging",
        "--num_workers=2",
        "--max_num_workers=5",
        "--labels=service=weights",
        "--labels=score_date=2026-01-05",
        f"--labels=run_key={RUN_KEY}",
        "--labels=attempt=3",
        "--labels=model_version=v1",
    ]


def test_an_endpoint_of_its_own_needs_no_account() -> None:
    command = launch_command(run(), 1, a_service(), an_environment("http://localhost:9"))

    assert {"--dataflow_endpoint=http://localhost:9", "--no_auth"} <= set(command)


def test_there_are_never_fewer_workers_allowed_than_asked_for() -> None:
    spec = a_service(job={"workers": 20, "max_workers": 10})

    assert "--max_num_workers=20" in launch_command(run(), 1, spec, an_environment())
