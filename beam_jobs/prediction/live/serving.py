"""The model that this process scores with, exchanged while it runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from beam_jobs.objects import ObjectChangedError
from beam_jobs.prediction.live.pointer import ModelPointer
from beam_jobs.prediction.live.served import Served
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.streaming import ServedModel

POLL_SECONDS = 5.0
"""A tenth of a cent per worker and day in requests, and soon enough for a model that took hours."""

_LOG = logging.getLogger(__name__)


class Serving:
    """Holds the model, and looks in a thread of its own whether it is to be another one.

    Nobody waits while a model is loaded: `now` is the old one until the new one is ready. Whoever
    took the old one goes on with it; it is freed with its last call. A model that cannot be loaded
    is an ERROR in the log, and the old one stays.
    """

    now: Served
    refreshes: int = 0
    """How often it was exchanged."""
    refused: int = 0
    """How often it was to be one that cannot be loaded."""

    def __init__(
        self,
        pointer: ModelPointer,
        load: Callable[[ServedModel], Served],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._pointer = pointer
        self._load = load
        self._poll_seconds = poll_seconds
        self._generation = 0
        self._trouble = ""
        self._closed = threading.Event()

    def start(self) -> None:
        """Loads the model that is to be served by now, the plan's own if that one is no good.

        Raises what the object store raises, and ModelError where the plan's own is no good.
        """
        self._generation = self._pointer.generation()
        try:
            self.now = self._load(self._pointer.read(self._generation))
        except ModelError as error:
            if not self._generation:
                raise
            self.now = self._load(self._pointer.own)
            self.refused += 1
            self._tell_trouble(error)

    def keep_up(self) -> None:
        """Begins to look whether it is to be another model."""
        threading.Thread(target=self._keep_looking, name="model refresh", daemon=True).start()

    def close(self) -> None:
        """Ends the looking."""
        self._closed.set()
        self.now.suspects.close()

    def _keep_looking(self) -> None:
        while not self._closed.wait(self._poll_seconds):
            try:
                self._look()
                self._trouble = ""
            except Exception as error:
                self._tell_trouble(error)
        self.now.suspects.close()

    def _look(self) -> None:
        generation = self._pointer.generation()
        if generation == self._generation:
            return
        try:
            self._exchange(self._pointer.read(generation))
        except ObjectChangedError:
            return
        except ModelError as error:
            # It will not become better: it is looked at again once another one is pointed to.
            self.refused += 1
            self._tell_trouble(error)
        self._generation = generation

    def _exchange(self, wanted: ServedModel) -> None:
        if (wanted.model.version, wanted.revision) == self.now.by:
            return
        new, old = self._load(wanted), self.now
        self.now = new
        self.refreshes += 1
        old.suspects.close()
        _LOG.info("model %s, revision %s, takes over from %s", *new.by, old.by.model_version)

    def _tell_trouble(self, error: Exception) -> None:
        """Once, not at each look."""
        trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            _LOG.error("the model is not refreshed, %s serves on: %s", self.now.by, trouble)
        self._trouble = trouble
