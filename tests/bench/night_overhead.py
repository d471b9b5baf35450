"""(e) What a night costs beside its job, on the whole stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.stack import stack_in
from tests.support.stack_nights import StackNights

REPEATS = 3
_FIRST_NIGHT = date(2026, 1, 10)


def measure(workshop: Workshop) -> Result:  # noqa: ARG001
    """Seconds from the trigger of a night to its job's creation, and from end to end less the job.

    One night at a time, of 614 rows; the median of several, after one that warms the stack up.
    """
    with _stack() as nights:
        _night(nights, _FIRST_NIGHT)
        measured = [_night(nights, _FIRST_NIGHT + timedelta(days=n)) for n in range(1, REPEATS + 1)]
    to_job, beside = (sorted(column)[REPEATS // 2] for column in zip(*measured, strict=True))
    return Result(
        name="whole night, less its job",
        value=beside,
        unit="s",
        target=None,
        details={"trigger_to_job_created_s": to_job},
    )


@contextmanager
def _stack() -> Iterator[StackNights]:
    with TemporaryDirectory(prefix="bench-stack-") as folder:
        stack = stack_in(Path(folder) / "home")
        try:
            stack.up()
            yield StackNights.on(stack)
        finally:
            stack.down()


def _night(nights: StackNights, day: date) -> tuple[float, float]:
    nights.send(day, births=600, broken=2)
    triggered = time.time()
    run_id = nights.trigger(day)
    if nights.finished(run_id) != ["success"]:
        raise RuntimeError(f"the night of {day} failed")
    ended = time.time()
    [row] = nights.recorded(day)
    settings = nights.stack.settings
    path = f"v1b3/projects/{settings.names.project}/locations/us-central1/jobs/{row['job_id']}"
    job = requests.get(f"{settings.cloud_url}/{path}", timeout=10).json()
    created, done = (
        datetime.fromisoformat(job[key]).timestamp() for key in ("createTime", "currentStateTime")
    )
    return created - triggered, (ended - triggered) - (done - created)
