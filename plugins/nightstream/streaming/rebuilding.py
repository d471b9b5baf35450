"""What the jobs themselves tell where the ledger does not: there is none yet, it was lost, or an
earlier one was brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nightstream.lifecycle.ledger import Entry, Ledger, OpenSlot, Outcome
from nightstream.lifecycle.revisions import Place
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.naming import Slot
from nightstream.streaming.seeing import Known


def rebuilt(service: str, standing: Sequence[SeenJob], known: Known, declared: Place) -> Ledger:
    """A new ledger, whose slots are those of the jobs that stand; the first of them serves.

    standing: oldest first. declared: where the spec wants the job, of a slot in which none of ours
    stands.
    """
    slots: dict[Slot, OpenSlot] = {}
    for job in standing:
        revision = known(job.launched_as) if job.launched_as else None
        place = revision.place if revision else declared
        # A second slot's subscription was there before its job: what was published before that
        # may be on the first one alone.
        opened_at = job.created_at if slots else None
        opened = OpenSlot(subscription=place.subscription_of(job.slot), opened_at=opened_at)
        slots.setdefault(job.slot, opened)
    if not slots:
        slots[Slot.A] = OpenSlot(subscription=declared.subscription)
    return Ledger(service=service, active=next(iter(slots)), slots=slots)


def adopted(ledger: Ledger, standing: Sequence[SeenJob], known: Known, now: datetime) -> Ledger:
    """The ledger with the revisions of all jobs that stand; those that it lacked are on probation.

    A revision that is not kept any more stays unknown: a person is asked about its job.
    """
    entries = dict(ledger.entries)
    for job in standing:
        for name in (job.launched_as, job.revision):
            revision = known(name) if name and name not in entries else None
            if revision is not None:
                times = {Outcome.LAUNCHED: now}
                entry = Entry(revision=revision, outcome=Outcome.LAUNCHED, times=times)
                entries[revision.id] = entry
    return ledger.model_copy(update={"entries": entries})
