"""Take components down, and sweep up whatever else belongs to the stack."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path

from local.stack import processes
from local.stack.component import Component, stop_stages
from local.stack.report import Report
from local.stack.supervision import Supervision

_SWEEP_SECONDS = 5.0
_SWEEPS = 3


def stop_components(
    components: Sequence[Component], supervision: Supervision, report: Report
) -> int:
    """Stop components with their sessions, nothing before what needs it.

    Returns the number of processes stopped.
    """
    return sum(_stop_stage(stage, supervision, report) for stage in stop_stages(components))


def sweep(home: Path) -> int:
    """End every process that carries the marker of this home: jobs, launchers, orphans.

    Returns their number.
    """
    ended = 0
    for _ in range(_SWEEPS):  # one that ends may have started another meanwhile
        strays = processes.marked(home)
        if not strays:
            break
        processes.ask(strays, signal.SIGTERM)
        processes.await_end(strays, _SWEEP_SECONDS)
        ended += len(strays)
    return ended


def _stop_stage(stage: list[Component], supervision: Supervision, report: Report) -> int:
    began = time.monotonic()
    members = {component.name: supervision.members(component) for component in stage}
    for component in stage:
        # The whole session: a signal to the parent alone leaves Airflow's children behind.
        processes.ask(members[component.name], component.stop_signal)
    stopped = 0
    for component in stage:
        processes.await_end(members[component.name], component.patience)
        supervision.forget(component)
        if members[component.name]:
            report.done(component.name, time.monotonic() - began, "stopped")
        stopped += len(members[component.name])
    return stopped
