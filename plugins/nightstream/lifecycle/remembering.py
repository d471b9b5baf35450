"""What of the ledger still matters, once the jobs were seen: it does not grow for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.ledger import Entry, Ledger
from nightstream.lifecycle.readings import Reading, first_reading, kept
from nightstream.lifecycle.snapshot import Snapshot

_ENTRIES = 40
"""Revisions that are remembered beside those in use; the latest."""
_REFUSED = 20


def remembered(seen: Snapshot, spec: LifecycleSpec, now: datetime) -> Ledger:
    """The ledger with the jobs that stand and their readings. How long a revision has run is
    counted anew when it runs again."""
    ledger, standing = seen.ledger, seen.standing()
    ids = tuple(dict.fromkeys(job.id for job in standing))
    running = {job.revision for job in standing if job.running}
    changes = {
        "jobs": ids,
        "readings": _readings(seen, timedelta(seconds=spec.health.window_seconds)),
        "entries": {
            name: entry if name in running else entry.model_copy(update={"running_since": None})
            for name, entry in ledger.entries.items()
        },
        "drains": {
            job.id: ledger.drains.get(job.id, now)
            for job in standing
            if job.id in ledger.drains or job.job.state == "DRAINING"
        },
        "cancels": {job_id: at for job_id, at in ledger.cancels.items() if job_id in ids},
    }
    return ledger.model_copy(update=changes)


def forgotten(ledger: Ledger, seen: Snapshot) -> Ledger:
    """The ledger without what nobody will ask for any more."""
    in_use = {ledger.stable, ledger.chosen, seen.wanted.id if seen.wanted else None}
    in_use |= {ledger.intent.revision} if ledger.intent else set()
    in_use |= {name for job in seen.standing() for name in (job.revision, job.launched_as)}
    latest = sorted(ledger.entries.values(), key=_changed_at)[-_ENTRIES:]
    in_use |= {entry.revision.id for entry in latest}
    changes = {
        "entries": {name: entry for name, entry in ledger.entries.items() if name in in_use},
        "stopped": tuple(job_id for job_id in ledger.stopped if job_id in ledger.jobs),
        "refused": ledger.refused[-_REFUSED:],
    }
    return ledger.model_copy(update=changes)


def _changed_at(entry: Entry) -> datetime:
    return max(entry.times.values())


def _readings(seen: Snapshot, window: timedelta) -> dict[str, tuple[Reading, ...]]:
    readings = {}
    for job in seen.standing():
        first = first_reading(job.created_at, job.launched_as or job.revision)
        earlier = seen.ledger.readings.get(job.id) or (first,)
        new = seen.readings.get(job.id)
        readings[job.id] = kept(_of_one(earlier, new), new, window) if new else tuple(earlier)
    return readings


def _of_one(earlier: Sequence[Reading], new: Reading) -> list[Reading]:
    """Those of the revision that the job serves by now: what it did as another says nothing."""
    return [reading for reading in earlier if reading.revision in (None, new.revision)]
