"""The engine of a streaming job: one thread that takes bundles from the sources through the steps.

It stands on the parts of Beam's direct runner and replaces what drives them, so as to commit as
Dataflow does: a bundle's first stage, up to the first step that stores or groups, succeeds as a
whole or leaves nothing behind.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any

from local.cloud.dataflow.worker.streaming.errors import ErrorLog
from local.cloud.dataflow.worker.streaming.graph import Graph, Outputs
from local.cloud.dataflow.worker.streaming.health import health
from local.cloud.dataflow.worker.streaming.ledger import Ledger
from local.cloud.dataflow.worker.streaming.retries import pause_after
from local.cloud.dataflow.worker.streaming.source import Source
from local.cloud.dataflow.worker.streaming.work import Batch, Work
from local.cloud.faults.in_jobs import reach_in_job

IDLE_SECONDS = 0.05
CLEAN_SECONDS = 2.0

log = logging.getLogger(__name__)


class Engine:
    """Runs a graph until its sources end. `arrival` is set when a source has something."""

    def __init__(
        self,
        graph: Graph,
        sources: Sequence[Source],
        arrival: threading.Event,
        acknowledge_early: bool,
    ) -> None:
        self._graph = graph
        self._sources = sources
        self._arrival = arrival
        self._acknowledge_early = acknowledge_early
        self._ready = deque(graph.roots())
        self._blocked: set[Work] = set()
        self._delayed: list[tuple[float, int, Work]] = []
        self._order = itertools.count()
        self._ledger: Ledger[Batch] = Ledger()
        self._cleaned = time.monotonic()
        self._ending = threading.Event()
        self._handing_over = threading.Event()
        self._errors = ErrorLog(log)

    def end(self, hand_over: bool = False) -> None:
        """Makes the sources end: `run` returns when everything that was begun is done, but, when it
        is to be handed over, for what fails and can be given back to Pub/Sub."""
        if hand_over:
            self._handing_over.set()
        self._ending.set()
        self._arrival.set()

    def set_up(self) -> None:
        """Sets up the DoFns, so that the first messages do not wait for that. One that fails is
        set up again with its first bundle."""
        for step in self._graph.pardos:
            try:
                self._graph.set_up(step)
            except Exception as error:
                self._graph.dofns.discard(step)
                self._errors.report(step.full_label, error)

    def run(self) -> None:
        for source in self._sources:
            source.open()
        try:
            while self._turn():
                pass
        finally:
            self.give_back()
            self._graph.dofns.teardown()

    def give_back(self) -> None:
        """Returns to Pub/Sub what has not been acknowledged."""
        for source in self._sources:
            source.close()

    def health(self) -> dict[str, Any]:
        """How far the job is behind, see `health`; for another thread."""
        readings = [source.reading() for source in self._sources]
        return health(readings, self._graph.watermark(), int(time.time() * 1e6))

    def _turn(self) -> bool:
        """Does all there is to do, or waits a moment. False when there will be nothing any more."""
        self._work()
        self._settle()
        self._clean()
        self._read()
        self._ready.extend(self._graph.fired({work.step for _, _, work in self._delayed}))
        if self._ready:
            return True
        if all(source.ended for source in self._sources) and not self._something_waits():
            return False
        self._arrival.wait(IDLE_SECONDS)
        self._arrival.clear()
        return True

    def _something_waits(self) -> bool:
        # What has not been acknowledged is not lost with the work that fails.
        given_back = self._handing_over.is_set() and not self._acknowledge_early
        failing = self._delayed and not given_back
        return bool(failing or self._blocked or self._graph.awaits_clock())

    def _read(self) -> None:
        """Takes a bundle from each source that has one, and brings event time forward."""
        if self._ending.is_set():
            for source in self._sources:
                source.stop(keep_trying=not self._handing_over.is_set())
        for source in self._sources:
            batch = source.take()
            elements = batch.elements if batch else []
            upto = source.watermark(batch)
            outputs = self._graph.read(source.step, elements, upto)
            if batch:
                self._add(outputs, batch)
                self._finish_if_done(batch)

    def _work(self) -> None:
        self._wake()
        while self._ready:
            work = self._ready.popleft()
            if work.batch and work.batch.failed:
                self._graph.drop(work)
            else:
                self._evaluate(work)
            if work.batch and work not in self._blocked:
                work.batch.open -= 1
                self._finish_if_done(work.batch)
            self._wake()

    def _evaluate(self, work: Work) -> None:
        try:
            outputs = self._graph.evaluate(work)
        except Exception as error:
            self._graph.dofns.discard(work.step)
            self._fail(work, error)
            return
        if outputs is None:
            self._blocked.add(work)
        else:
            self._add(outputs, work.batch)

    def _add(self, outputs: Outputs, batch: Batch | None) -> None:
        for step, bundle in outputs:
            if batch and step in self._graph.first_stage:
                self._ready.append(Work(step, bundle, batch))
                batch.open += 1
            elif batch:
                batch.exits.append(Work(step, bundle))
            else:
                self._ready.append(Work(step, bundle))

    def _wake(self) -> None:
        """Makes ready what has waited for a side input or for its time."""
        for work in self._graph.unblocked():
            self._blocked.discard(work)
            self._ready.append(work)
        while self._delayed and self._delayed[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._delayed)[2])

    def _fail(self, work: Work, error: Exception) -> None:
        """Nothing of the bundle has happened. Its messages, or the work itself, are tried again."""
        self._errors.report(work.step.full_label, error)
        if work.batch:
            work.batch.failed = True
            self._graph.drop(work)
            return
        work.failures += 1
        due = time.monotonic() + pause_after(work.failures)
        heapq.heappush(self._delayed, (due, next(self._order), work))

    def _finish_if_done(self, batch: Batch) -> None:
        if batch.open:
            return
        if batch.failed:
            for work in batch.exits:
                self._graph.drop(work)
            batch.source.failed(batch)
            return
        reach_in_job("job.bundle.processed")
        batch.source.committed(batch)
        reach_in_job("job.bundle.committed")
        self._ready.extend(batch.exits)
        if batch.exits and not self._acknowledge_early:
            self._ledger.add(batch)
        else:
            batch.source.acknowledge(batch)

    def _clean(self) -> None:
        now = time.monotonic()
        if now - self._cleaned > CLEAN_SECONDS:
            self._cleaned = now
            self._graph.forget()

    def _settle(self) -> None:
        """Acknowledges what is done with, now that nothing is under way."""
        if self._ledger.waiting:
            waiting: set[Hashable] = {work for _, _, work in self._delayed} | self._blocked
            for batch in self._ledger.settle(self._graph.unfinished() | waiting):
                batch.source.acknowledge(batch)
