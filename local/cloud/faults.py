"""Faults on demand: errors, latency, hangs, resets and crashes, at requests or at named points.

Nothing is injected unless asked for; each injection is logged. Code that does something in steps
marks the places between them by `faults.reach("name.of.the.point")`. A fault of kind `row` strikes
single rows of a request that inserts rows.
"""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local.cloud.http import ApiError

_CRASH_STATUS = 137

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One fault, and the requests, the rows or the named point it strikes.

    Of the calls that match, the first `skip` pass; then `times` are struck (all, when it is left
    out), or the seeded share `share` of them. `when="after"` lets the call do its work first and
    takes its answer away: the client cannot know what happened.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["error", "latency", "hang", "reset", "crash", "row"]
    method: str = ".*"
    path: str | None = None
    point: str | None = None
    row: str | None = None
    when: Literal["before", "after"] = "before"
    skip: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    share: float | None = Field(None, gt=0, le=1)
    seed: int = 0
    code: int = Field(503, ge=400, le=599)
    message: str = "injected by a fault knob"
    reason: str = "backendError"
    seconds: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _place(self) -> Fault:
        if (self.path is None) == (self.point is None):
            raise ValueError("name either a path (a regular expression) or a point")
        if self.point is not None and self.kind in ("hang", "reset", "row"):
            raise ValueError(f"a {self.kind} strikes requests, not points")
        if (self.kind == "row") != (self.row is not None):
            raise ValueError("a fault of kind row, and no other, says which by `row`")
        for pattern in (self.method, self.path or "", self.row or ""):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern}: {error}") from error
        return self

    def error(self) -> ApiError:
        return ApiError(self.code, self.message, self.reason)


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
    """The armed faults. Safe to use from many threads."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> dict[str, Any]:
        """The armed fault with its id and counts."""
        armed = _Armed(fault)
        with self._lock:
            self._armed.append(armed)
        log.warning("fault %s armed: %s", armed.id, fault.model_dump(exclude_defaults=True))
        return armed.shown()

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [armed.shown() for armed in self._armed]

    def disarm(self, only: str | None = None) -> None:
        """The fault of that id, or all of them."""
        with self._lock:
            self._armed = [armed for armed in self._armed if only not in (None, armed.id)]

    def at_request(self, method: str, path: str) -> Fault | None:
        """The first armed fault that strikes this call."""
        return self._strike(
            f"{method} {path}",
            lambda fault: fault.kind != "row" and _is_at(fault, method, path),
        )

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

    def _strike(self, where: str, matches: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for armed in self._armed:
                if matches(armed.fault) and armed.strikes():
                    log.warning("fault %s: %s at %s", armed.id, armed.fault.kind, where)
                    return armed.fault
        return None


ARMED = Faults()
"""The faults of this process: one process is one server."""


def reach(point: str) -> None:
    """Mark a named point; does nothing unless a fault is armed for it."""
    ARMED.reach(point)


def crash() -> NoReturn:
    """End the process as kill -9 would: nothing is flushed, nobody is told."""
    os._exit(_CRASH_STATUS)
