"""Kills processes of a stack at the points of a night, as a history says."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil

from local.stack import Stack
from tests.support.background import Background
from tests.support.faults.stack_history import Strike, Victim
from tests.support.faults.stack_night import StackNight
from tests.support.lifecycle.kills import running_tasks
from tests.support.stack import kill

_FOUND_WITHIN_S = 20.0
"""A process that does not live by then has done its work already."""


class Strikes(Background):
    """The strikes of one night, one after another, each when the night has come to its point."""

    def __init__(self, night: StackNight, strikes: Iterable[Strike]) -> None:
        super().__init__()
        self._night = night
        self._strikes = list(strikes)
        self._failed: BaseException | None = None
        self.told: list[str] = []
        self.killed: list[Strike] = []
        """Those that found their victim."""

    def _run(self) -> None:
        try:
            for strike in self._strikes:
                while not self._night.reached(strike.point):
                    if self._over.wait(0.1):
                        self.told.append(f"never: {strike}")
                        return
                time.sleep(strike.delay_s)
                self._strike(strike)
        except BaseException as error:
            self._failed = error

    def _ended(self, error: BaseException | None) -> None:
        if self._failed is not None and error is None:
            raise self._failed

    def _strike(self, strike: Strike) -> None:
        match strike.victim:
            case Victim.SCHEDULER | Victim.TRIGGERER | Victim.CLOUD:
                killed = _component(self._night.nights.stack, strike.victim)
            case _:
                killed = self._one_of(strike.victim)
        self.told.append(f"{'killed' if killed else 'not there'}: {strike}")
        if killed:
            self.killed.append(strike)

    def _one_of(self, victim: Victim) -> int:
        """Kills all processes of that kind, as soon as there is one; how many there were."""
        deadline = time.monotonic() + _FOUND_WITHIN_S
        while not (found := self._found(victim)) and time.monotonic() < deadline:
            if self._over.wait(0.02):
                break
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        return len(found)

    def _found(self, victim: Victim) -> list[psutil.Process]:
        match victim:
            case Victim.LAUNCHER:
                return self._night.launchers()
            case Victim.WORKER:
                return self._night.job_processes("dataflow.worker")
            case Victim.SUPERVISOR:
                return self._night.job_processes("dataflow.supervisor")
            case _:
                return running_tasks(self._night.nights.stack)


def _component(stack: Stack, name: str) -> bool:
    """Kills a component and brings it up again; False where another night has just killed it."""
    try:
        kill(stack, name)
    except (KeyError, psutil.NoSuchProcess):
        return False
    finally:
        stack.up()
    return True
