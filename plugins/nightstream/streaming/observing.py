"""The first step of a round: everything that a decision depends on, as it is now.

It changes nothing. What it cannot see for certain (the ledger, the jobs) it raises; readings that
are missing are unknown, and fail nothing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from google.api_core.exceptions import GoogleAPIError

from beam_jobs.runs.streaming import streaming_root
from nightstream.hooks.dataflow import DataflowHook
from nightstream.hooks.monitoring import MonitoringHook
from nightstream.hooks.pubsub import PubSubHook
from nightstream.hooks.storage import gcs_objects
from nightstream.lifecycle.case import Timing
from nightstream.lifecycle.ledger import Ledger
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Revision
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.declared import declared, declared_place, revision_of_plan
from nightstream.streaming.ledgers import LedgerFile, ledger_uri
from nightstream.streaming.measuring import UNREADABLE, Gauges
from nightstream.streaming.rebuilding import adopted, rebuilt
from nightstream.streaming.revisions import kept_revision
from nightstream.streaming.rounds import Observed
from nightstream.streaming.seeing import JobWatch

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec

log = logging.getLogger(__name__)

_LISTS_ARE_LATE = 1.5
"""A job that was launched at the last moment has half as long again to be in a list."""
_RETENTION = timedelta(days=7)
"""Pub/Sub's own, of a subscription that cannot be asked."""
_MEASURED = ("RUNNING", "DRAINING")


class UnseenError(Exception):
    """What runs cannot be seen; the message says why, with the remedy."""


def observe(spec: ServiceSpec, environment: EnvironmentSpec) -> Observed:
    """What is declared, what runs, and how it does.

    Raises LedgerError where the ledger cannot be read, UnseenError where an API does not answer;
    then nothing is known, and nothing should be done.
    """
    try:
        return Observer(spec, environment).observe(datetime.now(UTC))
    except (*UNREADABLE, GoogleAPIError) as error:
        raise UnseenError(
            f"what runs cannot be seen, so nothing is done: {error}. Remedy: see that the API "
            "answers, and that the account of Airflow's connection "
            f"{environment.airflow.gcp_conn_id} has the permissions in docs/lifecycle.md; the next "
            "round looks again"
        ) from error


class Observer:
    """Looks at one service in one environment, once."""

    def __init__(self, spec: ServiceSpec, environment: EnvironmentSpec) -> None:
        self._spec = spec
        self._environment = environment
        self._objects = gcs_objects(environment)
        self._root = streaming_root(environment.buckets.work, spec.service)
        self._plans: dict[str, Revision | None] = {}

    def observe(self, now: datetime) -> Observed:
        """Everything as it is at that moment."""
        uri = ledger_uri(self._environment.buckets.work, self._spec.service)
        found, generation = LedgerFile(self._objects, uri).read()
        hooks = self._hooks(found)
        watch = JobWatch(self._spec.service, hooks, self._objects, self._root)
        seen = watch.jobs(found, lambda name: self._known(name, found))
        jobs = tuple(job for job, _ in seen)
        ledger = self._ledger(found, [job for job in jobs if not job.ended], now)
        wanted, problem = declared(self._spec, self._environment, self._objects)
        readings = {
            job.id: self._reading(job, hooks[region], ledger, now)
            for job, region in seen
            if job.job.state in _MEASURED
        }
        snapshot = Snapshot(wanted, problem, jobs, ledger, readings)
        return Observed(now, generation, snapshot, self._timing(ledger))

    def _hooks(self, found: Ledger | None) -> dict[str, DataflowHook]:
        """By region: the environment's first, then those of jobs from before it was changed."""
        regions = [self._environment.dataflow.region]
        if found is not None and (found.jobs or found.intent):
            regions += [entry.revision.place.region for entry in found.entries.values()]
        return {region: DataflowHook(self._environment, region) for region in regions}

    def _known(self, name: str, found: Ledger | None) -> Revision | None:
        """What the ledger knows of a revision, else what is kept of it."""
        if found is not None and name in found.entries:
            return found.entries[name].revision
        if name not in self._plans:
            kept = kept_revision(self._root, name, self._objects)
            plan = kept.plan if kept else None
            self._plans[name] = revision_of_plan(plan) if plan else None
        return self._plans[name]

    def _ledger(self, found: Ledger | None, standing: list[SeenJob], now: datetime) -> Ledger:
        place = declared_place(self._spec, self._environment)

        def known(name: str) -> Revision | None:
            return self._known(name, found)

        ledger = found or rebuilt(self._spec.service, standing, known, place)
        return adopted(ledger, standing, known, now)

    def _reading(
        self, job: SeenJob, dataflow: DataflowHook, ledger: Ledger, now: datetime
    ) -> Reading:
        slot = ledger.slots.get(job.slot)
        earlier = ledger.readings.get(job.id, ())
        gauges = Gauges(dataflow, self._monitoring)
        return gauges.read(job, slot.subscription if slot else None, earlier, now)

    @cached_property
    def _monitoring(self) -> MonitoringHook:
        return MonitoringHook(self._environment)

    def _timing(self, ledger: Ledger) -> Timing:
        dataflow = self._environment.dataflow
        return Timing(
            launch=_LISTS_ARE_LATE * timedelta(seconds=dataflow.launch_timeout_seconds),
            drain=timedelta(seconds=dataflow.drain_timeout_seconds),
            retention=self._retention(ledger.slots[ledger.active].subscription),
        )

    def _retention(self, subscription: str) -> timedelta:
        try:
            found = PubSubHook(self._environment).subscription(subscription)
        except GoogleAPIError as error:
            log.warning("%s could not be asked how long it keeps requests: %s", subscription, error)
            return _RETENTION
        retention = found.message_retention_duration if found else None
        return retention if isinstance(retention, timedelta) else _RETENTION
