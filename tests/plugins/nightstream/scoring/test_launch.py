"""The launch of a job."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from nightstream.scoring.launch import launch_command, run_launcher
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
        "--runner=DataflowRunner",
        f"--job_name=weights-batch-{RUN_KEY[:12]}",
        "--project=nightstream-test",
        "--region=us-central1",
        "--temp_location=gs://scoring-work/dataflow/temp",
        "--staging_location=gs://scoring-work/dataflow/staging",
        "--num_workers=2",
        "--max_num_workers=5",
        "--machine_type=n2-standard-4",
        "--sdk_container_image=image:1",
        "--service_account_email=worker@example",
        "--subnetwork=regions/us-central1/subnetworks/a",
        "--no_use_public_ips",
        "--labels=team=science",
        "--labels=service=weights",
        "--labels=score_date=2026-01-05",
        f"--labels=run_key={RUN_KEY}",
        "--labels=attempt=3",
        "--labels=model_version=v1",
        "--debug",
        "--experiments=use_runner_v2",
    ]


def test_an_endpoint_of_its_own_needs_no_account() -> None:
    command = launch_command(run(), 1, a_service(), an_environment("http://localhost:9"))

    assert {"--dataflow_endpoint=http://localhost:9", "--no_auth"} <= set(command)


def test_there_are_never_fewer_workers_allowed_than_asked_for() -> None:
    spec = a_service(job={"workers": 20, "max_workers": 10})

    assert "--max_num_workers=20" in launch_command(run(), 1, spec, an_environment())


def test_each_line_is_passed_on_as_it_comes() -> None:
    lines: list[tuple[str, float]] = []
    script = "import time; print('one'); time.sleep(0.5); print('two')"

    launched = run_launcher(
        [sys.executable, "-c", script], 60, lambda line: lines.append((line, time.monotonic()))
    )

    assert [line for line, _ in lines] == ["one", "two"]
    assert lines[1][1] - lines[0][1] > 0.25
    assert (launched.returncode, launched.timed_out, launched.tail) == (0, False, "one\ntwo")


def test_both_streams_and_the_exit_code_are_told() -> None:
    script = "import sys; print('no such bucket', file=sys.stderr); sys.exit(3)"

    launched = run_launcher([sys.executable, "-c", script], 60, lambda _: None)

    assert (launched.returncode, launched.tail) == (3, "no such bucket")


def test_at_the_timeout_the_launcher_and_its_children_are_killed() -> None:
    child = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', {0!r}]);"
    script = child.format("import time; time.sleep(600)") + "print(p.pid); time.sleep(600)"
    lines: list[str] = []

    launched = run_launcher([sys.executable, "-c", script], 1.5, lines.append)

    assert launched.timed_out
    assert launched.returncode != 0
    while psutil.pid_exists(int(lines[0])):
        if psutil.Process(int(lines[0])).status() == psutil.STATUS_ZOMBIE:
            break


def test_the_launcher_has_the_code_that_runs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    script = "import beam_jobs, os; print(beam_jobs.__file__); print(os.environ['PYTHONPATH'])"

    run_launcher([sys.executable, "-S", "-c", script], 60, lines.append)

    import beam_jobs

    assert lines[0] == beam_jobs.__file__
    assert lines[1].split(os.pathsep)[1] == str(tmp_path)
