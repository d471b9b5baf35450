"""A process that is stuck in native code ends, though no thread of it runs."""

from __future__ import annotations

import subprocess
import sys

from tests.support.local_cloud import ROOT

STUCK = """
import ctypes
from beam_jobs.prediction.live.last_resort import LastResort
last_resort = LastResort(0.3)
last_resort.put_off()
{then}
ctypes.PyDLL(None).usleep(600_000)  # holds the interpreter's lock
print("came back")
"""


def run_stuck(then: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STUCK.format(then=then)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_process_that_holds_its_own_lock_ends_with_a_traceback() -> None:
    process = run_stuck(then="")
    assert process.returncode == 1
    assert process.stdout == ""
    assert 'File "<string>"' in process.stderr


def test_a_timer_that_is_put_off_or_cancelled_does_not_end_the_process() -> None:
    put_off = run_stuck(then="LastResort(30).put_off()")
    cancelled = run_stuck(then="last_resort.cancel()")
    assert (put_off.returncode, put_off.stdout) == (0, "came back\n")
    assert (cancelled.returncode, cancelled.stdout) == (0, "came back\n")
