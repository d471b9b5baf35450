"""Running a launcher."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from nightstream.jobs.launcher import run_launcher


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


def test_the_launcher_has_the_code_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "beam_jobs.py").write_text("print('of another release')")
    lines: list[str] = []

    run_launcher([sys.executable, "-P", "-m", "beam_jobs"], 60, lines.append, tmp_path)

    assert lines == ["of another release"]
