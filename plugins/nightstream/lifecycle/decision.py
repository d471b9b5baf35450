"""What to do about a service's streaming jobs: `decide`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.actions import (
    Action,
    Cancel,
    Close,
    Drain,
    Launch,
    Open,
    Seek,
    Update,
)
from nightstream.lifecycle.case import Case, Timing
from nightstream.lifecycle.learning import learn
from nightstream.lifecycle.ledger import Intent, Ledger, OpenSlot
from nightstream.lifecycle.rules import choose
from nightstream.lifecycle.snapshot import Snapshot
from nightstream.streaming.naming import Slot


@dataclass(frozen=True)
class Decision:
    """One round: what is done, why, and what the ledger says before and after."""

    action: Action
    reasons: tuple[str, ...]
    """Each a sentence."""
    news: tuple[str, ...]
    """What was learned."""
    before: Ledger
    """To be written before the action; where somebody else has written, nothing is done."""
    after: Ledger
    """To be written once the action has been taken."""


def decide(seen: Snapshot, spec: LifecycleSpec, timing: Timing, now: datetime) -> Decision:
    """One decision for every snapshot. Its action is taken once; what comes of it is for the next
    round to see."""
    learned = learn(seen, spec, now)
    case = Case(seen, learned.ledger, spec, timing, now)
    action, reasons = choose(case)
    before = _announced(case, action)
    return Decision(action, reasons, learned.news, before, _done(before, action))


def _announced(case: Case, action: Action) -> Ledger:
    """The ledger with what is about to be done."""
    ledger = _suspension(case)
    match action:
        case Launch(slot, revision):
            return _changed(ledger, intent=_intent(case, slot, revision, None))
        case Update(slot, revision, job_id):
            return _changed(ledger, intent=_intent(case, slot, revision, job_id))
        case Drain(job_id):
            return _changed(
                ledger,
                stopped=(*ledger.stopped, job_id),
                drains={**ledger.drains, job_id: case.now},
            )
        case Open(slot):
            serving = ledger.slots[ledger.active].subscription
            name = _beside(serving, slot)
            return _with_slot(ledger, slot, OpenSlot(subscription=name, ready=False))
        case Close(slot):
            active = case.spare if slot == ledger.active else ledger.active
            return _changed(_ready(ledger, slot, False), active=active)
        case Cancel(job_id):
            return _cancelling(case, ledger, job_id)
    return ledger


def _done(ledger: Ledger, action: Action) -> Ledger:
    """The ledger once it is done."""
    match action:
        case Open(slot):
            return _ready(ledger, slot, True)
        case Close(slot):
            kept = {name: state for name, state in ledger.slots.items() if name != slot}
            return _changed(ledger, slots=kept)
        case Seek(slot, _):
            state = ledger.slots[slot].model_copy(update={"seek_to": None})
            return _with_slot(ledger, slot, state)
    return ledger


def _intent(case: Case, slot: Slot, revision: str, replaces: str | None) -> Intent:
    known = tuple(job.id for job in case.seen.jobs if job.slot == slot)
    expires = case.now + case.timing.launch
    return Intent(
        slot=slot, revision=revision, replaces=replaces, known_ids=known, expires_at=expires
    )


def _cancelling(case: Case, ledger: Ledger, job_id: str) -> Ledger:
    """A drain that is cut off leaves requests behind: they are read again by the next job."""
    stopped = (*ledger.stopped, job_id)
    job = next(job for job in case.seen.jobs if job.id == job_id)
    if job_id not in ledger.drains or job.slot not in ledger.slots or case.suspended:
        return _changed(ledger, stopped=stopped)
    health = case.seen.health.get(job_id)
    age = health.oldest_unacked_seconds if health else None
    begun = ledger.drains[job_id] if age is None else case.now - timedelta(seconds=age)
    seek_to = begun - timedelta(seconds=case.spec.drain.seek_margin_seconds)
    state = ledger.slots[job.slot].model_copy(update={"seek_to": seek_to})
    return _with_slot(_changed(ledger, stopped=stopped), job.slot, state)


def _suspension(case: Case) -> Ledger:
    ledger = case.ledger
    if bool(case.suspended) == (ledger.suspended_at is not None):
        return ledger
    return _changed(ledger, suspended_at=case.now if case.suspended else None)


def _beside(subscription: str, slot: Slot) -> str:
    """The subscription of the other slot."""
    return f"{subscription.removesuffix('-a').removesuffix('-b')}-{slot}"


def _ready(ledger: Ledger, slot: Slot, ready: bool) -> Ledger:
    return _with_slot(ledger, slot, ledger.slots[slot].model_copy(update={"ready": ready}))


def _with_slot(ledger: Ledger, slot: Slot, state: OpenSlot) -> Ledger:
    return _changed(ledger, slots={**ledger.slots, slot: state})


def _changed(ledger: Ledger, **changes: object) -> Ledger:
    return ledger.model_copy(update=changes)
