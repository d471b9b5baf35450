"""The supervisor of one job: runs its attempts, writes its states, ends it when asked to.

    python -m local.cloud.dataflow.supervisor FOLDER LOCK

It outlives the server. The job process dies with it (a pipe between them closes), and with the
job process die its workers.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from local.cloud.dataflow import states, streaming
from local.cloud.dataflow.attempt import Attempt
from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.outcome import MAX_ATTEMPTS, Ending, Outcome, Verdict, outcome_of, verdict
from local.cloud.faults.in_jobs import reach_in_job
from local.cloud.supervised import take_lock

POLL_SECONDS = 0.05


def supervise(folder: JobFolder) -> None:
    """Runs a batch job to its end."""
    number = 1
    while True:
        outcome = _run(folder, number)
        decision = verdict(outcome, number)
        if decision is not Verdict.RETRY:
            break
        folder.add_message(
            "WARNING", f"Attempt {number} of {MAX_ATTEMPTS} was lost: {outcome.cause}. Retrying."
        )
        number += 1
    if decision is Verdict.FAILED:
        times = f"attempted {MAX_ATTEMPTS} times, at last " if outcome.ending is Ending.LOST else ""
        folder.add_message("ERROR", f"Workflow failed. Causes: {times}{outcome.cause}")
    reach_in_job("job.end", folder.name())
    folder.enter(f"JOB_STATE_{decision.name}")


def _run(folder: JobFolder, number: int) -> Outcome:
    scratch = folder.path / f"attempt-{number}"
    with Attempt(folder, scratch) as attempt:
        while (code := attempt.poll()) is None and not folder.requested():
            if attempt.ready and folder.status().state == states.PENDING:
                folder.enter(states.RUNNING)
            time.sleep(POLL_SECONDS)
    cause = attempt.cause()
    shutil.rmtree(scratch, ignore_errors=True)
    return outcome_of(code, cause)


def main(path: str, lock: str) -> None:
    take_lock(int(lock))
    folder = JobFolder(Path(path))
    if folder.plan().streaming:
        streaming.supervise(folder)
    else:
        supervise(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
