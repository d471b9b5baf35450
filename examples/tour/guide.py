"""What every chapter of the tour has at hand: the show, the traffic, the rounds, the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from beam_jobs.objects import Objects, open_objects
from beam_jobs.send.answers import percentile
from examples.demo.show import DemoError, Show
from examples.tour.rounds import Rounds
from examples.tour.traffic import Traffic
from nightstream.lifecycle.ledger import Entry, Ledger, Outcome
from nightstream.streaming.ledgers import LedgerFile, ledger_uri

DAG_ID = "babyweight_streaming"
_LOOK_S = 1.0
_LINE_S = 10.0
"""So often is the state of things told where it cannot be shown all the time."""


@dataclass
class Guide:
    """Leads through the tour, and tells what is going on."""

    show: Show
    traffic: Traffic
    rounds: Rounds
    _told_at: float = 0.0

    @property
    def console(self) -> Console:
        return self.show.console

    @property
    def objects(self) -> Objects:
        return open_objects(self.show.models)

    @property
    def ledger_file(self) -> LedgerFile:
        work = self.show.environment.buckets.work
        return LedgerFile(self.objects, ledger_uri(work, self.show.spec.service))

    @property
    def ledger(self) -> Ledger | None:
        """None until the first round has written it."""
        return self.ledger_file.read()[0]

    def entry(self, version: str) -> Entry | None:
        """What the ledger says of the revision with that version of the model."""
        entries = ledger.entries.values() if (ledger := self.ledger) else ()
        return next((e for e in entries if e.revision.model_version == version), None)

    def became(self, version: str, outcome: Outcome) -> Callable[[], bool]:
        """Whether the revision with that version of the model has that outcome."""

        def reached() -> bool:
            entry = self.entry(version)
            return entry is not None and entry.outcome is outcome

        return reached

    def runs(self, version: str) -> bool:
        """Whether a job with that version of the model runs, and nothing is under way."""
        ledger, entry = self.ledger, self.entry(version)
        settled = ledger is not None and ledger.intent is None and len(ledger.jobs) == 1
        return settled and entry is not None and entry.running_since is not None

    def say(self, line: str) -> None:
        self.show.say(line)

    def ask(self, action: str) -> None:
        """Fills in the DAG's form, as a person would."""
        self.say(f'$ airflow dags trigger {DAG_ID} --conf \'{{"action": "{action}"}}\'')
        self.show.airflow.trigger(DAG_ID, {"action": action})

    def wait(self, what: str, done: Callable[[], bool], seconds: float = 300) -> float:
        """Tells the rounds and the state of things until it is done; after how many seconds that
        was. Raises DemoError when time is up, or requests flow no more."""
        began = time.monotonic()
        with self.console.status(self.traffic.line()) as status:
            while not done():
                status.update(self.traffic.line())
                self._look()
                took = time.monotonic() - began
                if self.traffic.failure:
                    raise DemoError(f"requests flow no more: {self.traffic.failure}")
                if took > seconds:
                    raise DemoError(self._in_vain(what, took))
                time.sleep(_LOOK_S)
            self.rounds.look()
        return time.monotonic() - began

    def service_since(self, began: float) -> str:
        """How those who asked were served since then (by the monotonic clock)."""
        answers = self.traffic.answers
        waits = answers.waits(began)
        if not waits:
            return "no request was answered"
        return (
            f"the longest time without any answer was {answers.gap(began):.1f} s; of "
            f"{len(waits):,} answers p50 took {percentile(waits, 50) * 1e3:,.0f} ms, p99 "
            f"{percentile(waits, 99) * 1e3:,.0f} ms, the slowest {waits[-1]:.1f} s"
        )

    def _look(self) -> None:
        self.rounds.look()
        if not self.console.is_terminal and time.monotonic() - self._told_at > _LINE_S:
            self._told_at = time.monotonic()
            self.say(self.traffic.line())

    def _in_vain(self, what: str, seconds: float) -> str:
        settings = self.show.stack.settings
        return (
            f"{what}: not after {seconds:.0f} s. Look at the logs of the tasks in "
            f"{settings.airflow_home / 'logs'}, of the stack in {settings.logs}, of the jobs in "
            f"{settings.cloud_data / 'dataflow' / 'jobs'}; with KEEP=1 also at "
            f"{settings.airflow_url}/dags/{DAG_ID}\n{self.rounds.last_failure()}"
        )
