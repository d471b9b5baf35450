"""Plays a DAG run of a history: its tasks die and are tried again, until the last one is done."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from nightstream.publishing.ledgers import LedgerChangedError, LedgerFile, ledger_uri
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.faults.borders import Killed, dying_at
from tests.support.faults.history import STEPS, Kill
from tests.support.night_output import NIGHT
from tests.support.turns import DagRun, Task

_MOST_TRIES = 20
log = logging.getLogger(__name__)


@dataclass
class Player:
    """One DAG run."""

    service: Service
    run: DagRun
    kills: list[Kill] = field(default_factory=list)
    leases_lapse: bool = False
    done: int = 0
    """How many of its tasks are done."""
    tries: int = 1
    calls: dict[str, int] = field(default_factory=dict)
    """How many calls the last turn of each step made."""
    told: list[str] = field(default_factory=list)
    """What happened, for whoever has to understand a failure."""
    _task: Task | None = None

    @property
    def finished(self) -> bool:
        return self.done == len(STEPS)

    @property
    def step(self) -> str:
        return STEPS[self.done]

    def finish(self) -> None:
        while not self.finished:
            self.turn()

    def turn(self) -> None:
        """One turn of the current task, as far as it comes."""
        if self._task is None:
            # Airflow begins a try without what the try before handed on.
            self.run.xcoms.pop((self.step, "return_value"), None)
            self._task = self.service.task(self.step, self.run, self.tries)
        kill = next((kill for kill in self.kills if kill.step == self.step), None)
        try:
            with dying_at(kill.border if kill else None) as calls:
                done = self._taken(self._task)
            self.calls[self.step] = calls.made
        except Killed:
            self._again(f"killed {kill}")
            self.kills.remove(kill)  # type: ignore[arg-type]
        except AirflowFailException as final:
            what = "what a retry mends was taken for final"
            raise AssertionError("\n".join([*self.told, f"{self.step}: {what}"])) from final
        except Exception as error:
            self._again(f"failed: {type(error).__name__}: {error}")
        else:
            self._end_turn(done, kill)

    def _taken(self, task: Task) -> bool:
        try:
            return task.turn()
        except AirflowSkipException:
            return True

    def _end_turn(self, done: bool, kill: Kill | None) -> None:
        if not done:
            assert self._task is not None
            self._task.wait()
        elif kill and kill.border.call > self.calls[self.step]:
            self.kills.remove(kill)
            self._again("killed when all was done, and nobody had heard of it")
        else:
            self.done, self.tries, self._task = self.done + 1, 1, None

    def _again(self, why: str) -> None:
        self.told.append(f"{self.run.run_id} {self.step} try {self.tries}: {why}")
        assert self.tries < _MOST_TRIES, self.told
        self.tries, self._task = self.tries + 1, None
        if self.leases_lapse:
            let_the_lease_lapse(self.service)


def let_the_lease_lapse(service: Service) -> None:
    """What time would do while somebody stays away."""
    work = service.environment.buckets.work
    file = LedgerFile(service.objects, ledger_uri(work, service.spec.service, NIGHT))
    ledger, generation = file.read()
    if ledger.lease:
        past = datetime.now(UTC) - timedelta(hours=1)
        try:
            file.swap(ledger.leased(ledger.lease.holder, past), generation)
        except LedgerChangedError:
            log.info("the lease changed hands meanwhile")


def a_player(service: Service, run_id: str, model: str, **how: Any) -> Player:
    """A DAG run of the night by hand, with a model of its own choice."""
    params = {"score_date": NIGHT.isoformat(), "model_version": model}
    return Player(service, DagRun(run_id, params=params), **how)
