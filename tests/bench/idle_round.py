"""(f) What a round of the streaming DAG with nothing to do costs, on the whole stack."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.stack import stack_in
from tests.support.stack_nights import StackNights
from tests.support.stack_rounds import TASKS, StackRounds

ROUNDS = 5


def measure(workshop: Workshop) -> Result:  # noqa: ARG001
    """Seconds of worker time of all tasks of a round beside a running job; the median of several.

    A task's time is what Airflow tells of it: from the worker's first sign to its last, with the
    parsing of the DAG file and all imports.
    """
    with _rounds() as rounds:
        rounds.wait_for_job("RUNNING")
        rounds.wait_for_rounds(1)
        runs = [run["dag_run_id"] for run in rounds.wait_for_rounds(ROUNDS)]
        measured = [rounds.worker_seconds(run_id) for run_id in runs]
    idle = [seconds for seconds in measured if not seconds["act"]]
    if len(idle) < ROUNDS:
        raise RuntimeError(f"{ROUNDS - len(idle)} of {ROUNDS} rounds had something to do")
    return Result(
        name="idle round, worker time",
        value=statistics.median(sum(seconds.values()) for seconds in idle),
        unit="s",
        target=5.0,
        details={
            f"{name}_s": statistics.median(seconds[name] for seconds in idle)
            for name in TASKS
            if name != "act"
        },
    )


@contextmanager
def _rounds() -> Iterator[StackRounds]:
    with TemporaryDirectory(prefix="bench-stack-") as folder:
        stack = stack_in(Path(folder) / "home")
        try:
            stack.up()
            yield StackRounds.on(StackNights.on(stack))
        finally:
            stack.down()
