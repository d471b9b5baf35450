"""The supervision of a streaming job: restarted for ever, drained, cancelled, replaced.

Its worker process is told over its standard input (worker.commands): to go once it is ready and may
read, to drain, or to hand over to the job that takes its place.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from local.cloud.dataflow import states
from local.cloud.dataflow.attempt import Attempt
from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.outcome import EXIT_DONE, EXIT_FAILED, last_words
from local.cloud.dataflow.topic_subscriptions import delete_unneeded
from local.cloud.dataflow.worker.commands import DRAIN, GO, HAND_OVER
from local.cloud.faults.in_jobs import reach_in_job

POLL_SECONDS = 0.05
STEADY_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0


def supervise(folder: JobFolder) -> None:
    """Runs a streaming job to its end."""
    scratch = folder.path / "worker"
    short_lives = 0
    while (end := _requested_end(folder)) is None:
        begun = time.monotonic()
        end = _run(folder, scratch)
        if end:
            break
        steady = time.monotonic() - begun >= STEADY_SECONDS
        short_lives = 0 if steady else short_lives + 1
        _wait(folder, pause_before_restart(short_lives))
    shutil.rmtree(scratch, ignore_errors=True)
    delete_unneeded(folder)
    reach_in_job("job.end", folder.name())
    folder.enter(end)


def pause_before_restart(short_lives: int) -> float:
    """Seconds to wait after so many processes in a row that died young. The first is none."""
    return 0.0 if short_lives < 2 else min(FIRST_PAUSE * 2.0**short_lives, LONGEST_PAUSE)


def _run(folder: JobFolder, scratch: Path) -> str | None:
    """One process of the job; the job's last state, or None where it has to be started again."""
    with Attempt(folder, scratch) as attempt:
        told: set[str] = set()
        while (code := attempt.poll()) is None:
            end = _requested_end(folder)
            if end == states.CANCELLED or (end and GO not in told):
                return end
            if end:
                _tell_once(attempt, HAND_OVER if end == states.UPDATED else DRAIN, told)
            elif attempt.ready and _may_begin(folder):
                _tell_once(attempt, GO, told)
                if folder.status().state == states.PENDING:
                    folder.enter(states.RUNNING)
            time.sleep(POLL_SECONDS)
    return _after(folder, code, attempt.cause(), told)


def _tell_once(attempt: Attempt, command: str, told: set[str]) -> None:
    if command not in told:
        told.add(command)
        attempt.tell(command)


def _after(folder: JobFolder, code: int, cause: str, told: set[str]) -> str | None:
    """What follows from the end of a process."""
    end = _requested_end(folder)
    if code == EXIT_DONE and HAND_OVER in told and not end:
        folder.add_message("WARNING", "The job that was to take over is gone. Going on.")
        return None
    if code == EXIT_DONE:
        return end or states.DONE
    how = last_words(code, cause)
    if end:
        folder.add_message(
            "WARNING", f"The worker was lost at the end: {how}. What it held will be redelivered."
        )
        return end
    if code == EXIT_FAILED and folder.status().state == states.PENDING:
        folder.add_message("ERROR", f"Workflow failed. Causes: {cause}")
        return states.FAILED
    folder.add_message("WARNING", f"The worker was lost: {how}. Starting another.")
    return None


def _requested_end(folder: JobFolder) -> str | None:
    """The state the job shall end in: what a client asked for, or UPDATED once another job is
    ready to take its place."""
    if requested := folder.requested():
        return requested.state
    return states.UPDATED if folder.successor() else None


def _may_begin(folder: JobFolder) -> bool:
    """Whether the job that this one replaces, if any, has ended; asks it to."""
    replaced = folder.replaces()
    if replaced is None or replaced.status().state in states.TERMINAL or not replaced.held():
        return True
    replaced.replace_by((folder.job() or {})["id"])
    return False


def _wait(folder: JobFolder, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not _requested_end(folder):
        time.sleep(POLL_SECONDS)
