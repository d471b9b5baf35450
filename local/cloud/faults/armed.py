"""The armed faults: which calls they strike, counted and logged."""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from local.cloud.faults.fault import Fault
from local.cloud.faults.points import AT_JOBS

_CRASH_STATUS = 137
_ELSEWHERE = ("row", "stale", "corrupt")
"""Kinds that strike what is in a request, what it reads or what it is answered, not the request."""

log = logging.getLogger(__name__)


class _Armed:
    """A fault with its counts."""

    def __init__(self, fault: Fault) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.fault = fault
        self.matched = 0
        self.injected = 0
        self._chance = random.Random(fault.seed)

    def strikes(self) -> bool:
        """Count one matching call and decide whether it is struck."""
        fault = self.fault
        self.matched += 1
        if self.matched <= fault.skip:
            return False
        if fault.times is not None and self.injected >= fault.times:
            return False
        if fault.share is not None and self._chance.random() >= fault.share:
            return False
        self.injected += 1
        return True

    def shown(self) -> dict[str, Any]:
        counts = {"matched": self.matched, "injected": self.injected}
        return {"id": self.id, **self.fault.model_dump(exclude_none=True), **counts}


def _is_at(fault: Fault, method: str, path: str) -> bool:
    return (
        fault.path is not None
        and re.fullmatch(fault.method, method) is not None
        and re.search(fault.path, path) is not None
    )


class Faults:
    """The armed faults. Safe to use from many threads.

    `announce` is told, whenever that changes, at which points of jobs faults are armed.
    """

    def __init__(self) -> None:
        self.announce: Callable[[list[str]], None] = lambda _: None
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> dict[str, Any]:
        """The armed fault with its id and counts."""
        armed = _Armed(fault)
        with self._lock:
            self._armed.append(armed)
            self._announce()
        log.warning("fault %s armed: %s", armed.id, fault.model_dump(exclude_defaults=True))
        return armed.shown()

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [armed.shown() for armed in self._armed]

    def disarm(self, only: str | None = None) -> None:
        """The fault of that id, or all of them."""
        with self._lock:
            self._armed = [armed for armed in self._armed if only not in (None, armed.id)]
            self._announce()

    def looks_at_body(self, method: str, path: str) -> bool:
        """Whether a fault that may strike this call depends on its body."""
        return any(
            armed.fault.body is not None and _is_at(armed.fault, method, path)
            for armed in self._armed
        )

    def at_request(self, method: str, path: str, body: bytes = b"") -> Fault | None:
        """The first armed fault that strikes this call."""
        text = body.decode(errors="replace")
        return self._strike(
            f"{method} {path}",
            lambda fault: (
                fault.kind not in _ELSEWHERE
                and _is_at(fault, method, path)
                and (fault.body is None or re.search(fault.body, text) is not None)
            ),
        )

    def corruption(self, method: str, path: str) -> str | None:
        """What shall become of the predictions that answer this call; None for nothing."""
        fault = self._strike(
            f"{method} {path}",
            lambda fault: fault.kind == "corrupt" and _is_at(fault, method, path),
        )
        return fault.answer if fault else None

    def staleness(self, method: str, path: str) -> float:
        """How many seconds ago the state is that this read of jobs shall see; 0.0 is now."""
        fault = self._strike(
            f"{method} {path}",
            lambda fault: fault.kind == "stale" and _is_at(fault, method, path),
        )
        return fault.seconds if fault else 0.0

    def at_rows(self, method: str, path: str, rows: Iterable[str]) -> dict[int, Fault]:
        """The rows of a request that faults strike, by position; `rows` are read only if needed."""
        if not any(armed.fault.kind == "row" for armed in self._armed):
            return {}
        found = ((i, self._at_row(method, path, i, text)) for i, text in enumerate(rows))
        return {i: fault for i, fault in found if fault is not None}

    def _at_row(self, method: str, path: str, position: int, text: str) -> Fault | None:
        return self._strike(
            f"row {position} of {method} {path}",
            lambda fault: (
                fault.row is not None
                and _is_at(fault, method, path)
                and re.search(fault.row, text) is not None
            ),
        )

    def reach(self, point: str) -> None:
        """Called by the code at a named point. Raises ApiError, waits, or ends the process."""
        fault = self._strike(f"point {point}", lambda fault: fault.point == point)
        if fault is None:
            return
        if fault.kind == "crash":
            crash()
        if fault.kind == "latency":
            time.sleep(fault.seconds)
            return
        raise fault.error()

    def at_job(self, point: str, job: str) -> Fault | None:
        """The first armed fault that strikes the job of that name at a named point."""
        return self._strike(
            f"point {point} of job {job}",
            lambda fault: fault.point == point and re.fullmatch(fault.job, job) is not None,
        )

    def _strike(self, where: str, matches: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for armed in self._armed:
                if matches(armed.fault) and armed.strikes():
                    log.warning("fault %s: %s at %s", armed.id, armed.fault.kind, where)
                    return armed.fault
        return None

    def _announce(self) -> None:
        points = {armed.fault.point for armed in self._armed if armed.fault.point}
        self.announce(sorted(points & AT_JOBS.keys()))


ARMED = Faults()
"""The faults of this process: one process is one server."""


def reach(point: str) -> None:
    """Mark a named point; does nothing unless a fault is armed for it."""
    ARMED.reach(point)


def staleness(method: str, path: str) -> float:
    """How many seconds ago the state is that this read of jobs shall see; 0.0 unless armed."""
    return ARMED.staleness(method, path)


def corruption(method: str, path: str) -> str | None:
    """What shall become of the predictions that answer this call; None unless armed."""
    return ARMED.corruption(method, path)


def crash() -> NoReturn:
    """End the process as kill -9 would: nothing is flushed, nobody is told."""
    os._exit(_CRASH_STATUS)
