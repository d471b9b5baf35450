"""Which of a service's jobs are looked at, and what is seen of each. It changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from beam_jobs.runs.streaming import ServedModel, model_uri
from nightstream.jobs.job import DescribedJob, ListedJob
from nightstream.lifecycle.ledger import Ledger
from nightstream.lifecycle.revisions import Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.naming import Slot, live_job_name, revision_of

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from nightstream.hooks.dataflow import DataflowHook

log = logging.getLogger(__name__)

Known = Callable[[str], Revision | None]
"""What is known of the revision of an id."""


def worth_a_look(listed: Sequence[ListedJob], slot: Slot, ledger: Ledger | None) -> set[str]:
    """The ids of a slot's jobs that matter: those that have not ended, the one that ended last,
    and those that may have come of the ledger's intent. Others ended long ago.

    listed: oldest first.
    """
    ended = [job for job in listed if job.ended and job.state != "UPDATED"]
    ids = {job.id for job in listed if not job.ended} | {job.id for job in ended[-1:]}
    intent = ledger.intent if ledger else None
    if intent is None or intent.slot != slot:
        return ids
    known = [place for place, job in enumerate(listed) if job.id in intent.known_ids]
    came_later = listed[known[-1] + 1 :] if known else listed
    return ids | {job.id for job in came_later}


def remembered(ledger: Ledger | None) -> set[str]:
    """The ids that are asked for whatever the lists say: those may lack a job that is new."""
    if ledger is None:
        return set()
    replaced = ledger.intent.replaces if ledger.intent else None
    return {*ledger.jobs, *([replaced] if replaced else [])}


@dataclass(frozen=True)
class JobWatch:
    """Looks at the jobs of one service."""

    service: str
    dataflow: Mapping[str, DataflowHook]
    """By region: the environment's first, then those where jobs may run from before it changed."""
    objects: Objects
    root: str
    """Folder of all that the service's streaming jobs keep."""

    def jobs(self, ledger: Ledger | None, known: Known) -> list[tuple[SeenJob, str]]:
        """The jobs that matter, oldest first, each with its region."""
        names = {live_job_name(self.service, slot): slot for slot in Slot}
        seen = [
            (self._seen(described, names[described.job.name], known), region)
            for described, region in self._described(names, ledger)
        ]
        return sorted(seen, key=lambda pair: (pair[0].created_at, pair[0].id))

    def _described(
        self, names: Mapping[str, Slot], ledger: Ledger | None
    ) -> Iterator[tuple[DescribedJob, str]]:
        missing = remembered(ledger)
        for region, dataflow in self.dataflow.items():
            ids = set(missing)
            for name, slot in names.items():
                ids |= worth_a_look(dataflow.listed(name), slot, ledger)
            for job_id in sorted(ids):
                if (described := dataflow.describe(job_id)) is not None:
                    missing.discard(job_id)
                    yield described, region

    def _seen(self, described: DescribedJob, slot: Slot, known: Known) -> SeenJob:
        job = described.job
        ours = job.labels.get("service") == self.service
        launched_as = revision_of(job) if ours else None
        revision = known(launched_as) if launched_as else None
        refreshes = revision is not None and revision.refreshes
        served = self._pointed_to(launched_as) if launched_as and refreshes else None
        return SeenJob(
            job=job,
            slot=slot,
            revision=served or launched_as,
            created_at=described.created_at,
            workers=_workers(described, revision),
            launched_as=launched_as,
            replaces=described.replaces,
        )

    def _pointed_to(self, launched_as: str) -> str | None:
        """The revision whose model the job was pointed to since its launch; None for its own."""
        uri = model_uri(self.root, launched_as)
        try:
            return ServedModel.model_validate_json(self.objects.read(uri)).revision
        except FileNotFoundError:
            return None
        except ValidationError as error:
            log.error("%s points to no model, and the job goes on with its own: %s", uri, error)
            return None


def _workers(described: DescribedJob, revision: Revision | None) -> Workers:
    """What the service does not tell is taken to be as it was launched."""
    launched = revision.workers if revision else Workers(least=1, most=1)
    return Workers(
        least=described.least_workers or launched.least,
        most=described.most_workers or launched.most,
    )
