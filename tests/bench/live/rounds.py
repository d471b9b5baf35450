"""Rounds of a streaming DAG, by its real operators: observe, decide, act, record, again and again
without a pause. In production the scheduler's interval lies between them.

python -m tests.bench.live.rounds DECLARED.json

The file holds a service's spec and its environment. Rounds end when a job runs as declared; then
one more round, which has nothing to do, is measured. The last line says what there was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from tests.support.local_cloud import ROOT

if TYPE_CHECKING:
    from airflow.sdk import DAG

_PATIENCE_S = 240
_STEPS = ("observe", "decide", "act", "record")


@dataclass(frozen=True)
class Reconciled:
    """What came of some rounds."""

    job_id: str
    """That runs as declared."""
    rounds: int
    seconds: float
    """From the first observation to the last."""
    idle_seconds: float
    """Of a round with nothing to do, by the clock: no worker has to be started for it here."""
    beam_imported: bool
    """By any of the rounds, in the process of the operators."""


def reconcile(spec: ServiceSpec, environment: EnvironmentSpec) -> Reconciled:
    """Rounds in a process of their own, until a job runs as declared. Raises RuntimeError."""
    declared = [part.model_dump(mode="json") for part in (spec, environment)]
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(declared, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.live.rounds", file.name],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/plugins"},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"no job runs as declared:\n{done.stdout}{done.stderr}")
    return Reconciled(**json.loads(done.stdout.splitlines()[-1]))


def main(path: str) -> int:
    import tests.support.airflow  # noqa: F401  # before Airflow is imported
    from nightstream.streaming_dag import streaming_dag

    spec, environment = json.loads(Path(path).read_text())
    dag = streaming_dag(
        ServiceSpec.model_validate(spec), EnvironmentSpec.model_validate(environment)
    )
    began, rounds = time.monotonic(), 0
    while (job_id := _round(dag)) is None:
        rounds += 1
        if time.monotonic() - began > _PATIENCE_S:
            return 1
    over = time.monotonic()
    _round(dag)
    idle_seconds = time.monotonic() - over
    beam = "apache_beam" in sys.modules
    reconciled = Reconciled(job_id, rounds + 1, over - began, idle_seconds, beam)
    print(json.dumps(asdict(reconciled)))
    return 0


def _round(dag: DAG) -> str | None:
    """One round; the job that was seen to run as declared, alone."""
    from nightstream.forms.streaming import streaming_form
    from nightstream.streaming.rounds import Decided, Observed, from_json
    from tests.support.turns import DagRun, Task

    run = DagRun(run_after=datetime.now(UTC))
    for step in _STEPS:
        if (
            step == "act"
            and not from_json(Decided, run.xcoms["decide", "return_value"]).decision.acts
        ):
            continue
        Task(dag.get_task(step), run, form=streaming_form()).finish()
    seen = from_json(Observed, run.xcoms["observe", "return_value"]).snapshot
    standing = seen.standing()
    declared = seen.wanted is not None and [job.revision for job in standing] == [seen.wanted.id]
    return standing[0].id if declared and standing[0].running else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
