"""The whole stack, Airflow included, as a person and as a program see it."""

from __future__ import annotations

import os
import subprocess

import psutil
import pytest

from local.stack import Stack
from local.stack.airflow_api import AirflowApi
from local.stack.processes import marked
from tests.support.stack import kill

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

CLIENTS = """
set -eu
. "$1"
airflow connections get google_cloud_default --output json
bq query --format=csv 'SELECT 6 * 7 AS answer'
python -c '
from google.cloud import storage
print(sorted(bucket.name for bucket in storage.Client().list_buckets()))'
"""


def in_a_shell(stack: Stack, script: str) -> str:
    """A fresh shell of a person who knows nothing but stack.env."""
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(stack.settings.env_file)],
        env={"PATH": os.environ["PATH"], "HOME": str(stack.settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_is_ready_and_the_known_login_works(stack: Stack) -> None:
    assert {status.state for status in stack.status()} == {"ready", "done"}
    assert AirflowApi(stack.settings.airflow_url).import_errors() is not None


def test_nothing_listens_beyond_this_machine(stack: Stack) -> None:
    mine = {process.pid for process in marked(stack.settings.home)}
    listening = [
        connection.laddr
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in mine
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    # The Pub/Sub emulator has an inner port besides.
    assert {address.port for address in listening} >= set(stack.settings.ports.values())


def test_every_client_in_a_shell_that_sourced_the_env_file_talks_to_the_stack(stack: Stack) -> None:
    output = in_a_shell(stack, CLIENTS)
    assert "google_cloud_platform" in output
    assert "answer\n42\n" in output
    assert str(sorted(stack.settings.names.buckets)) in output


def test_the_scheduler_comes_back_after_a_kill_and_nothing_of_it_is_left_twice(
    stack: Stack,
) -> None:
    other = stack.pid("api-server")
    killed = kill(stack, "scheduler")
    assert {s.name for s in stack.status() if s.state == "dead"} == {"scheduler"}
    stack.up()
    assert {status.state for status in stack.status()} == {"ready", "done"}
    assert stack.pid("scheduler") != killed
    assert stack.pid("api-server") == other
    assert _processes_in_session(killed) == []


def _processes_in_session(session: int) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "sid=,args="], capture_output=True, text=True, check=True)
    return [
        line
        for line in listed.stdout.splitlines()
        if line.split()[0] == str(session) and "<defunct>" not in line
    ]
