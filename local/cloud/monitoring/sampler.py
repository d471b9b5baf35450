"""The sampler: a thread that reads everything once in an interval and stores it."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from local.cloud.config import CloudConfig
from local.cloud.dataflow.stop import jobs_root
from local.cloud.monitoring.filters import parse_filter
from local.cloud.monitoring.jobs import Jobs
from local.cloud.monitoring.series import Labels, Reading
from local.cloud.monitoring.store import PointStore

if TYPE_CHECKING:
    from local.cloud.monitoring.subscriptions import Subscriptions

ASKED_SECONDS = 3600.0
"""Subscriptions are sampled for so long after somebody asked for them."""

STOP_SECONDS = 10.0
"""A Pub/Sub that does not answer keeps the server from stopping for no longer."""

log = logging.getLogger(__name__)


class Sampler:
    """Samples jobs always and subscriptions on demand; `pubsub` is None where there is none."""

    def __init__(self, config: CloudConfig, store: PointStore, pubsub: str | None) -> None:
        self._interval = config.monitoring_interval_s
        self._store = store
        self._pubsub = pubsub
        self._tag = hashlib.sha1(str(config.data).encode(), usedforsecurity=False).hexdigest()[:12]
        self._jobs = Jobs(jobs_root(config.data))
        self._subscriptions: Subscriptions | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitoring", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        since = time.time() - self._interval
        while not self._stopped.wait(self._interval):
            try:
                since = self._sample(since)
            except Exception:
                # One that cannot be read, a job folder just removed, must not end all the others.
                log.exception("sampling failed")
        if self._subscriptions:
            self._subscriptions.close()

    def _sample(self, since: float) -> float:
        now = time.time()
        self._store.add(now, self._jobs.readings(now, since))
        # Later, and apart: Pub/Sub may be slow.
        self._store.add(now, self._on_demand(now))
        return now

    def _on_demand(self, now: float) -> list[Reading]:
        asked = self._store.asked(now - ASKED_SECONDS)
        if not self._pubsub or not (asked or self._subscriptions):
            return []
        if not self._subscriptions:
            # Most servers never need it, and importing a Pub/Sub client would double their start.
            from local.cloud.monitoring.subscriptions import Subscriptions

            self._subscriptions = Subscriptions(self._pubsub, self._tag)

        filters = [(project, parse_filter(text)) for project, text in asked]

        def chooses(labels: Labels) -> bool:
            return any(
                project == labels["project_id"] and wanted.chooses(labels, {})
                for project, wanted in filters
            )

        return self._subscriptions.readings({project for project, _ in asked}, chooses)
