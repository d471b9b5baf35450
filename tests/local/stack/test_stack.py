"""A stack comes up, heals after a crash and goes down without a trace.

These tests take the parts that start in a second, PostgreSQL and the local cloud; those with
Airflow are in tests/end_to_end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests
from rich.console import Console

from local.stack import Stack, StackError
from local.stack.environment import process_environment
from local.stack.ports import free_port
from local.stack.processes import marked
from local.stack.report import Lines
from tests.support.patience import PATIENCE_S
from tests.support.stack import kill, stack_in

CLOUD = ("cloud",)
PARTS = ("postgres", "cloud")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stack]:
    stack = stack_in(tmp_path / "home")
    yield stack
    stack.down()


def states(stack: Stack) -> dict[str, str]:
    return {status.name: status.state for status in stack.status() if status.name in PARTS}


def pids(stack: Stack) -> dict[str, int]:
    return {name: stack.pid(name) for name in PARTS}


def bucket_names(stack: Stack) -> set[str]:
    url = f"{stack.settings.cloud_url}/storage/v1/b?project={stack.settings.names.project}"
    return {bucket["name"] for bucket in requests.get(url, timeout=PATIENCE_S).json()["items"]}


def test_up_gives_a_cloud_with_the_buckets_and_the_dataset_of_the_environment(small: Stack) -> None:
    small.up(CLOUD)
    names = small.settings.names
    datasets = f"{small.settings.cloud_url}/bigquery/v2/projects/{names.project}/datasets"
    assert states(small)["cloud"] == "ready"
    assert bucket_names(small) == set(names.buckets)
    found = requests.get(f"{datasets}/{names.dataset}", timeout=PATIENCE_S).json()
    assert found["location"] == names.location


def test_up_twice_changes_nothing_and_says_so(
    small: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    small.up(CLOUD)
    before = small.pid("cloud")
    Stack(small.settings, Lines(Console())).up(CLOUD)
    assert small.pid("cloud") == before
    assert "up already" in capsys.readouterr().out


def test_two_who_start_at_once_start_one_stack(small: Stack) -> None:
    threads = [threading.Thread(target=Stack(small.settings).up, args=(CLOUD,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(small)["cloud"] == "ready"
    servers = [
        process for process in marked(small.settings.home) if "local.cloud" in process.cmdline()
    ]
    assert [process.pid for process in servers] == [small.pid("cloud")]


def test_up_heals_what_was_killed_and_leaves_alone_what_runs(small: Stack) -> None:
    small.up(PARTS)
    before = pids(small)
    kill(small, "postgres")
    assert states(small) == {"postgres": "dead", "cloud": "ready"}
    small.up(PARTS)
    assert states(small) == {"postgres": "ready", "cloud": "ready"}
    assert small.pid("cloud") == before["cloud"]
    assert small.pid("postgres") != before["postgres"]


def test_up_heals_when_everything_was_killed_and_keeps_what_was_stored(small: Stack) -> None:
    small.up(PARTS)
    requests.post(
        f"{small.settings.cloud_url}/storage/v1/b?project=p",
        json={"name": "kept"},
        timeout=PATIENCE_S,
    ).raise_for_status()
    for process in marked(small.settings.home):
        process.kill()
    small.up(PARTS)
    assert "kept" in bucket_names(small)


def test_down_leaves_no_process_behind_also_none_in_a_session_of_its_own(small: Stack) -> None:
    small.up(PARTS)
    job = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env=process_environment(small.settings, os.environ),
        start_new_session=True,
    )
    assert small.down() >= 3
    assert job.wait(timeout=PATIENCE_S) == -signal.SIGTERM
    assert marked(small.settings.home) == []
    assert states(small) == {"postgres": "stopped", "cloud": "stopped"}


def test_down_after_a_crash_finds_what_no_record_names(small: Stack) -> None:
    small.up(PARTS)
    for record in small.settings.run.glob("*.json"):
        record.unlink()
    assert small.down() >= 2
    assert marked(small.settings.home) == []


def test_down_touches_nobody_else_however_stale_its_records(small: Stack) -> None:
    stranger = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    small.settings.run.mkdir(parents=True)
    for name in PARTS:
        record = f'{{"pid": {stranger.pid}, "started": {stranger.create_time() - 5000}}}'
        (small.settings.run / f"{name}.json").write_text(record)
    assert small.down() == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_taken_port_is_named_before_anything_starts(small: Stack) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", small.settings.cloud_port))),
        pytest.raises(StackError, match=f"port {small.settings.cloud_port}, meant for cloud"),
    ):
        small.up(PARTS)
    assert marked(small.settings.home) == []


def test_a_running_stack_does_not_move_to_other_ports_unasked(small: Stack) -> None:
    small.up(CLOUD)
    moved = Stack(replace(small.settings, cloud_port=free_port()))
    with pytest.raises(StackError, match=r"other ports.*\n.*make down"):
        moved.up(CLOUD)
    assert states(small)["cloud"] == "ready"


def test_a_component_that_dies_is_named_with_the_end_of_its_log_and_nothing_stays(
    small: Stack,
) -> None:
    small.settings.cloud_data.parent.mkdir(parents=True, exist_ok=True)
    small.settings.cloud_data.write_text("a file where the folder should be")
    with pytest.raises(
        StackError, match=r"cloud died while it started(.|\n)*cloud\.log(.|\n)*is not a folder"
    ):
        small.up(PARTS)
    assert marked(small.settings.home) == []
