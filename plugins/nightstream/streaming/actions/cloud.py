"""What the actions work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from beam_jobs.runs.streaming import streaming_root
from nightstream.streaming.naming import Slot, live_job_name

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from beam_jobs.objects import Objects
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec
    from beam_jobs.spec.streaming import StreamingSpec
    from nightstream.hooks.dataflow import DataflowHook
    from nightstream.hooks.pubsub import PubSubHook
    from nightstream.jobs.job import Job
    from nightstream.lifecycle.ledger import Ledger


class Refused(Exception):
    """The action was certainly not taken; the message says why."""


class Overtaken(Refused):
    """Something came between what was seen and the action; the next round sees it."""


@dataclass(frozen=True)
class Cloud:
    """One service in one environment, and the APIs that an action asks."""

    spec: ServiceSpec
    environment: EnvironmentSpec

    @property
    def streaming(self) -> StreamingSpec:
        """What the spec says of streaming; only a service that has it has a streaming DAG."""
        assert self.spec.streaming is not None
        return self.spec.streaming

    @property
    def root(self) -> str:
        """Folder of all that the service's streaming jobs keep in the work bucket."""
        return streaming_root(self.environment.buckets.work, self.spec.service)

    @cached_property
    def objects(self) -> Objects:
        from nightstream.hooks.storage import gcs_objects

        return gcs_objects(self.environment)

    @cached_property
    def dataflow(self) -> DataflowHook:
        from nightstream.hooks.dataflow import DataflowHook

        return DataflowHook(self.environment)

    @cached_property
    def pubsub(self) -> PubSubHook:
        from nightstream.hooks.pubsub import PubSubHook

        return PubSubHook(self.environment)

    @cached_property
    def bigquery(self) -> Client:
        from nightstream.hooks.bigquery import bigquery_client

        return bigquery_client(self.environment)

    def job(self, job_id: str, ledger: Ledger) -> Job:
        """Raises Refused where there is no such job any more."""
        for dataflow in self._everywhere(ledger):
            if (found := dataflow.describe(job_id)) is not None:
                return found.job
        raise Refused(f"there is no job {job_id}")

    def standing(self, slot: Slot, ledger: Ledger) -> list[Job]:
        """The jobs that hold the slot's name, whosever they are."""
        name = live_job_name(self.spec.service, slot)
        return [job for hook in self._everywhere(ledger) for job in hook.active_named(name)]

    def require_no_reader(self, slot: Slot, ledger: Ledger) -> None:
        """Raises Refused where a job may be reading the slot's subscription."""
        for job in self.standing(slot, ledger):
            raise Refused(f"{job.name} ({job.id}) stands in slot {slot}: it is {job.state}")

    def _everywhere(self, ledger: Ledger) -> Iterator[DataflowHook]:
        """In the environment's region, and where jobs may run from before it was changed."""
        from nightstream.hooks.dataflow import DataflowHook

        own = self.environment.dataflow.region
        yield self.dataflow
        for region in {entry.revision.place.region for entry in ledger.entries.values()} - {own}:
            yield DataflowHook(self.environment, region)
