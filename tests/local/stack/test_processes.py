"""Processes of a stack are found again after anything, and nobody else's is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.stack import processes
from local.stack.processes import STACK_MARKER, ProcessRecord
from tests.support.patience import PATIENCE_S

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
for own_session in (False, True):
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    subprocess.Popen(sleep, start_new_session=own_session)
print("both started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    left = processes.marked(tmp_path)
    processes.ask(left, signal.SIGKILL)
    processes.await_end(left, PATIENCE_S)


@pytest.fixture
def stranger() -> Iterator[psutil.Popen]:
    process = psutil.Popen(SLEEP, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def start(home: Path, *command: str) -> ProcessRecord:
    environ = {**os.environ, STACK_MARKER: str(home)}
    return processes.start(command, environ, home, home / "component.log")


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


def said(home: Path, words: str) -> None:
    wait_for(lambda: words in (home / "component.log").read_text())


def test_a_record_finds_its_process_again(home: Path) -> None:
    started = start(home, *SLEEP)
    started.write(home / "run" / "component.json")
    found = ProcessRecord.read(home / "run" / "component.json")
    assert found == started
    assert found is not None
    assert found.alive


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "[]", '{"pid": "x", "started": 1}'])
def test_half_a_record_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "component.json").write_text(content)
    assert ProcessRecord.read(tmp_path / "component.json") is None


def test_a_recycled_pid_is_a_stranger(home: Path, stranger: psutil.Popen) -> None:
    stale = ProcessRecord(stranger.pid, stranger.create_time() - 1000)
    assert not stale.alive
    assert processes.session_of(stale, home) == []


def test_a_process_that_ended_is_not_alive_even_before_it_is_collected(home: Path) -> None:
    started = start(home, sys.executable, "-c", "pass")
    wait_for(lambda: psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE)
    assert not started.alive


def test_the_output_of_this_start_and_of_the_one_before_are_kept(home: Path) -> None:
    for word in ("first", "second", "third"):
        start(home, sys.executable, "-c", f"print('{word}')")
        said(home, word)
    assert (home / "component.previous.log").read_text() == "second\n"


def test_the_session_outlives_its_leader_and_is_still_found(home: Path) -> None:
    leader = start(home, sys.executable, "-c", PARENT)
    said(home, "both started")
    os.kill(leader.pid, signal.SIGKILL)
    wait_for(lambda: not leader.alive)
    (orphan,) = processes.session_of(leader, home)
    assert os.getsid(orphan.pid) == leader.pid


def test_whatever_a_component_started_carries_the_mark_in_any_session(
    home: Path, stranger: psutil.Popen
) -> None:
    leader = start(home, sys.executable, "-c", PARENT)
    said(home, "both started")
    marked = processes.marked(home)
    assert len(marked) == 3
    assert len({os.getsid(process.pid) for process in marked}) == 2
    assert leader.pid in {process.pid for process in marked}
    assert stranger.pid not in {process.pid for process in marked}


def test_another_home_with_the_same_beginning_is_another_stack(home: Path) -> None:
    start(home, *SLEEP)
    assert processes.marked(home.with_name(home.name[:-1])) == []


def test_a_process_that_does_not_listen_is_killed_after_the_patience(home: Path) -> None:
    deaf = start(home, sys.executable, "-c", DEAF)
    said(home, "deaf")
    process = deaf.process()
    assert process is not None
    processes.ask([process], signal.SIGTERM)
    processes.await_end([process], patience=0.3)
    assert not deaf.alive


def test_a_dead_process_is_asked_in_vain_without_an_error(home: Path) -> None:
    started = start(home, *SLEEP)
    process = started.process()
    assert process is not None
    subprocess.run(["kill", "-9", str(started.pid)], check=True)
    processes.await_end([process], patience=PATIENCE_S)
    processes.ask([process], signal.SIGTERM)
    assert not started.alive
