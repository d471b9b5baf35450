"""The model behind the routes: being loaded, ready, or draining; and its bounded queue."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum

from beam_jobs.prediction.models import Model
from beam_jobs.prediction.server.answer import Answer, answer
from beam_jobs.prediction.server.problems import Problem, RefusedRequest

_RETRY_AFTER_SECONDS = 1


class Phase(Enum):
    LOADING = "the model is being loaded"
    READY = "ready"
    DRAINING = "the server is about to end"
    FAILED = "the model cannot be loaded"


class PredictionService:
    """Lives in the event loop's thread; loading and predicting are done in threads of their own."""

    def __init__(self, threads: int, most_waiting: int, drain_seconds: int) -> None:
        self.phase = Phase.LOADING
        self.failure: Exception | None = None
        self.under_way = 0
        """Requests that were let in and have no answer yet."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._places = threads + most_waiting
        self._taken = 0
        self._drain_seconds = drain_seconds
        self._drains_until = 0.0
        self._model: Model | None = None

    def load(self, open_model: Callable[[], Model], loaded: Callable[[Model], None]) -> None:
        """Starts to load the model; returns at once.

        By a daemon thread: a server that is told to end does not wait for a slow download.
        """
        loop = asyncio.get_running_loop()

        def work() -> None:
            try:
                model = open_model()
            except Exception as error:
                loop.call_soon_threadsafe(self._fail, error)
                return
            loop.call_soon_threadsafe(ready, model)

        def ready(model: Model) -> None:
            # What is there now stays: the garbage collector need not look at it again.
            gc.collect()
            gc.freeze()
            self._model = model
            loaded(model)
            if self.phase is Phase.LOADING:
                self.phase = Phase.READY

        threading.Thread(target=work, name="load", daemon=True).start()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Lets one request in, which draining waits for. Raises RefusedRequest (503)."""
        if self.phase is not Phase.READY:
            raise _unavailable(self.phase.value)
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def predict(self, body: bytes) -> Answer:
        """The answer to a request that was let in. Raises RefusedRequest."""
        assert self._model is not None
        if self._taken >= self._places:
            raise _unavailable(f"{self._taken} requests are under way or wait already")
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, answer, body, self._model)
        finally:
            self._taken -= 1

    def drain(self) -> None:
        """Lets nothing more in; `over` once what is under way has its answer."""
        if self.phase is not Phase.DRAINING:
            self.phase = Phase.DRAINING
            self._drains_until = time.monotonic() + self._drain_seconds

    @property
    def over(self) -> bool:
        """Whether the server may end: it failed, or has drained, or takes too long to."""
        if self.phase is Phase.DRAINING:
            return not self.under_way or time.monotonic() > self._drains_until
        return self.phase is Phase.FAILED

    def _fail(self, error: Exception) -> None:
        self.failure = error
        if self.phase is Phase.LOADING:
            self.phase = Phase.FAILED


def _unavailable(reason: str) -> RefusedRequest:
    problem = Problem(reason, f"try again after {_RETRY_AFTER_SECONDS} s")
    return RefusedRequest(503, [problem], _RETRY_AFTER_SECONDS)
