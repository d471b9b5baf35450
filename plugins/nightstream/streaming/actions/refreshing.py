"""Another model for a running job."""

from __future__ import annotations

import logging

from beam_jobs.runs.streaming import ServedModel, model_uri
from nightstream.jobs.job import Phase
from nightstream.lifecycle.actions import Refresh
from nightstream.lifecycle.ledger import Ledger
from nightstream.streaming.actions.cloud import Cloud, Refused
from nightstream.streaming.actions.keeping import require_kept
from nightstream.streaming.naming import revision_of

log = logging.getLogger(__name__)


def refresh(action: Refresh, ledger: Ledger, cloud: Cloud) -> None:
    """Points the job's workers to the revision's model; they look there every few seconds. Raises
    Refused."""
    job = cloud.job(action.job_id, ledger)
    if job.phase is not Phase.ACTIVE:
        raise Refused(f"{job.name} ({job.id}) is {job.state}: it changes over to nothing any more")
    if revision_of(job) != action.launched_as:
        raise Refused(
            f"{job.name} ({job.id}) was launched as {revision_of(job)}, not {action.launched_as}"
        )
    kept = require_kept(action.revision, cloud)
    if kept.plan is None:
        raise Refused(f"{kept.uri} is of another release, and its model is not understood here")
    served = ServedModel(revision=action.revision, model=kept.plan.model)
    uri, data = model_uri(cloud.root, action.launched_as), served.model_dump_json().encode()
    if not _holds(uri, data, cloud):
        cloud.objects.put(uri, data)
    log.info("%s points job %s to model %s", uri, job.id, served.model.version)


def _holds(uri: str, data: bytes, cloud: Cloud) -> bool:
    """Whether it is there already: workers look at each new generation anew."""
    try:
        return cloud.objects.read(uri) == data
    except FileNotFoundError:
        return False
