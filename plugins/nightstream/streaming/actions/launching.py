"""A job of a revision: launched, or taking over in place from the one that runs."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beam_jobs.runs.streaming import model_uri
from beam_jobs.runs.wheel import unpack_wheel, wheel_name
from nightstream.jobs.job import Phase
from nightstream.jobs.launcher import run_launcher
from nightstream.lifecycle.actions import Launch, Update
from nightstream.lifecycle.ledger import Ledger
from nightstream.publishing.evolution import SchemaConflictError
from nightstream.streaming.actions.cloud import Cloud, Overtaken, Refused
from nightstream.streaming.actions.keeping import require_code, require_kept
from nightstream.streaming.channels import channel_problems
from nightstream.streaming.launch import Submission, launch_command
from nightstream.streaming.naming import revision_of
from nightstream.streaming.preparation import prepare_live_tables
from nightstream.streaming.revisions import KeptRevision

log = logging.getLogger(__name__)


def launch(action: Launch | Update, ledger: Ledger, cloud: Cloud) -> None:
    """Submits a job of the revision, with the revision's own code.

    ledger: as it was written before, with the slot's subscription and the revision's entry.
    Raises Refused where certainly nothing was submitted. However else the launcher ends, the job is
    there if the service has it: the next round looks.
    """
    if _came_already(action, ledger, cloud):
        return
    kept = require_kept(action.revision, cloud)
    content = require_code(kept, cloud)
    _prepare(kept, ledger.slots[action.slot].subscription, cloud)
    # What an earlier job of this revision was pointed to is nothing to this one.
    cloud.objects.delete(model_uri(cloud.root, action.revision))
    with _unpacked(wheel_name(kept.code.code_version), content) as wheel:
        if not _came_already(action, ledger, cloud):
            _submit(_submission(action, kept, wheel, ledger, cloud), cloud)


def _came_already(action: Launch | Update, ledger: Ledger, cloud: Cloud) -> bool:
    """Whether the job of this very action stands. Raises Overtaken where another is in its way,
    or the one that it should take over from is not there."""
    replaced = action.job_id if isinstance(action, Update) else None
    known = ledger.intent.known_ids if ledger.intent else ()
    for job in cloud.standing(action.slot, ledger):
        if job.id == replaced:
            continue
        new = job.id not in known and job.phase is Phase.ACTIVE
        if new and revision_of(job) == action.revision:
            log.info("%s (%s) is there already", job.name, job.id)
            return True
        raise Overtaken(
            f"{job.name} ({job.id}) stands in slot {action.slot}: it is {job.state} and runs "
            f"revision {revision_of(job)}"
        )
    if replaced is not None and (old := cloud.job(replaced, ledger)).state != "RUNNING":
        raise Overtaken(f"{old.name} ({old.id}) is {old.state}: only a running job is updated")
    return False


def _prepare(kept: KeptRevision, subscription: str, cloud: Cloud) -> None:
    """What the job will find. Raises Refused."""
    if kept.plan is None:
        log.warning("The tables are left as %s, of another release, has had them", kept.uri)
        return
    drain = cloud.streaming.lifecycle.drain
    if problems := channel_problems(kept.plan, subscription, drain, cloud.pubsub):
        raise Refused("\n".join(problems))
    try:
        prepare_live_tables(cloud.bigquery, kept.plan.spec, cloud.environment)
    except SchemaConflictError as error:
        raise Refused(str(error)) from error


@contextmanager
def _unpacked(name: str, content: bytes) -> Iterator[Path]:
    """The wheel of that name, in a folder where it lies unpacked.

    The folder goes afterwards, but not when the task is stopped, which is no Exception: its
    launcher goes on, and needs it.
    """
    folder = Path(tempfile.mkdtemp(prefix="nightstream-launch-"))
    try:
        (folder / name).write_bytes(content)
        unpack_wheel(content, folder)
        yield folder / name
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _submission(
    action: Launch | Update, kept: KeptRevision, wheel: Path, ledger: Ledger, cloud: Cloud
) -> Submission:
    renamed = cloud.streaming.lifecycle.upgrade.transform_names
    return Submission(
        service=cloud.spec.service,
        slot=action.slot,
        revision=ledger.entries[action.revision].revision,
        plan_uri=kept.uri,
        subscription=ledger.slots[action.slot].subscription,
        wheel=wheel,
        renamed=renamed if isinstance(action, Update) else None,
    )


def _submit(submission: Submission, cloud: Cloud) -> None:
    command = launch_command(submission, cloud.environment)
    timeout = cloud.environment.dataflow.launch_timeout_seconds
    log.info("Launching (within %d s): %s", timeout, command)
    with cloud.dataflow.provide_gcp_credential_file_as_context():
        launched = run_launcher(command, timeout, log.info, submission.wheel.parent)
    if launched.refused:
        raise Refused(launched.tail)
    if launched.returncode:
        what = f"was killed after {timeout} s" if launched.timed_out else "failed"
        log.error("The launcher %s. Whether there is a job is for the next round to see", what)
