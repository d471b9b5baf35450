"""Bring components up: each as soon as what it needs is ready, side by side where possible."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from local.stack.component import Component, startable
from local.stack.errors import StackError
from local.stack.report import Report
from local.stack.stopping import stop_components
from local.stack.supervision import Supervision

_PATIENCE_SECONDS = 180.0
_POLL_SECONDS = 0.2
_LINES_OF_A_LOG = 20


class Start:
    """One start; remembers what it started, so that a failed one leaves nothing half up."""

    def __init__(self, supervision: Supervision, report: Report) -> None:
        self._supervision = supervision
        self._report = report
        self._began: dict[str, float] = {}
        self._started: list[Component] = []
        self._deadline = time.monotonic() + _PATIENCE_SECONDS

    def bring_up(self, wanted: Sequence[Component]) -> None:
        """Return when all serve at once. Raises StackError when one dies or never gets ready."""
        try:
            # Again, since one that ran may have died of another's restart.
            while missing := [c for c in wanted if not self._supervision.serves(c)]:
                self._start(missing, {c.name for c in wanted} - {c.name for c in missing})
        except BaseException:
            stop_components(self._started, self._supervision, self._report)
            raise

    def _start(self, missing: list[Component], ready: set[str]) -> None:
        running = {c.name for c in missing if self._supervision.is_alive(c)}
        while waiting := [c for c in missing if c.name not in ready]:
            for component in startable(waiting, ready, running):
                self._started.append(component)
                self._began[component.name] = time.monotonic()
                self._supervision.start(component)
                running.add(component.name)
            started = [c for c in waiting if c.name in running]
            self._report.waiting(", ".join(component.name for component in started))
            for component in started:
                self._look_at(component, ready, running)
            self._check_deadline(waiting)
            time.sleep(_POLL_SECONDS)

    def _look_at(self, component: Component, ready: set[str], running: set[str]) -> None:
        """Move a component from running to ready. Raises StackError when it died."""
        # Asked first: a step that ends between the two questions is not a death.
        alive = self._supervision.is_alive(component)
        began = self._began.get(component.name)
        if self._supervision.serves(component):
            seconds = None if began is None else time.monotonic() - began
            self._report.done(component.name, seconds, component.address)
            ready.add(component.name)
        elif not alive and began is None:
            running.remove(component.name)  # it was dying already: start it afresh
        elif not alive:
            raise _death(component, self._supervision.log(component))

    def _check_deadline(self, waiting: list[Component]) -> None:
        if time.monotonic() < self._deadline:
            return
        names = ", ".join(component.name for component in waiting)
        raise StackError(
            f"not ready after {_PATIENCE_SECONDS:.0f} s: {names}",
            f"see {self._supervision.log(waiting[0])}; then `make down` and `make up`",
        )


def _death(component: Component, log: Path) -> StackError:
    lines = log.read_text(errors="replace").splitlines()[-_LINES_OF_A_LOG:]
    end = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
    return StackError(
        f"{component.name} died while it started; the end of {log}:\n{end}",
        "mend what the log names, then `make up` again",
    )
