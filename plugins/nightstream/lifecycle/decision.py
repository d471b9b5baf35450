"""What to do about a service's streaming jobs: `decide`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.actions import (
    Action,
    Ask,
    Cancel,
    Close,
    Drain,
    Launch,
    Nothing,
    Open,
    Seek,
    Update,
    Wait,
)
from nightstream.lifecycle.case import Case, Timing
from nightstream.lifecycle.learning import learn
from nightstream.lifecycle.ledger import (
    Failure,
    FailureKind,
    Intent,
    Ledger,
    OpenSlot,
    Question,
)
from nightstream.lifecycle.revisions import Place
from nightstream.lifecycle.rules import choose
from nightstream.lifecycle.snapshot import Snapshot
from nightstream.streaming.naming import Slot

_REMINDER = timedelta(hours=6)


@dataclass(frozen=True)
class Decision:
    """One round: what is done, why, and what the ledger says before and after."""

    action: Action
    reasons: tuple[str, ...]
    """Each a sentence."""
    news: tuple[str, ...]
    """What was learned."""
    alerts: tuple[str, ...]
    """What a person should hear of now."""
    before: Ledger
    """To be written before the action; where somebody else has written, nothing is done."""
    after: Ledger
    """To be written once the action has been taken and the alerts have been sent."""

    @property
    def acts(self) -> bool:
        """Whether there is anything to do but to look again."""
        return not isinstance(self.action, Nothing | Wait | Ask)


def decide(seen: Snapshot, spec: LifecycleSpec, timing: Timing, now: datetime) -> Decision:
    """One decision for every snapshot. Its action is taken once; what comes of it is for the next
    round to see."""
    learned = learn(seen, spec, now)
    case = Case(seen, learned.ledger, spec, timing, now)
    action, reasons = choose(case)
    before, asked = _asked(_announced(case, action), action, reasons, now)
    alerts = (*seen.ledger.untold, *learned.alarming, *asked)
    before = _changed(before, untold=alerts)
    decision = Decision(action, reasons, learned.news, alerts, before, _told(_done(before, action)))
    if decision.acts and before.refusal:
        return replace(decision, after=_changed(decision.after, refusal=None))
    return decision


def refused(decision: Decision, reason: str, now: datetime, overtaken: bool = False) -> Ledger:
    """The ledger after an action that was certainly not taken, and why; to be written in place of
    `after`.

    overtaken: something came between, which the next round sees; nobody has to hear of it.
    """
    ledger = _told(decision.before)
    if not overtaken:
        ledger = _complained(ledger, f"`{decision.action.kind}` was refused: {reason}", now)
    match decision.action:
        case Launch() | Update() if overtaken:
            return _changed(ledger, intent=None)
        case Launch(_, revision) | Update(_, revision, _):
            failure = Failure(
                at=now, kind=FailureKind.LAUNCH, revision=revision, job_id=None, reason=reason
            )
            return _changed(ledger, intent=None, failures=(*ledger.failures, failure))
        case Drain(job_id) | Cancel(job_id):
            stopped = tuple(stopped for stopped in ledger.stopped if stopped != job_id)
            return _changed(ledger, stopped=stopped)
    return ledger


def _complained(ledger: Ledger, text: str, now: datetime) -> Ledger:
    """The next round tells a person, once, and again when it has stayed so for long."""
    known = ledger.refusal
    if known and _same(known.text, text) and now - known.at < _REMINDER:
        return ledger
    return _changed(ledger, refusal=Question(text=text, at=now), untold=(text,))


def _told(ledger: Ledger) -> Ledger:
    return _changed(ledger, untold=())


def _asked(
    ledger: Ledger, action: Action, reasons: tuple[str, ...], now: datetime
) -> tuple[Ledger, tuple[str, ...]]:
    """A person hears of a question once, and again when it has stayed open for long. Waiting
    answers none."""
    if isinstance(action, Wait):
        return ledger, ()
    if not isinstance(action, Ask):
        return (_changed(ledger, question=None) if ledger.question else ledger), ()
    text = "; ".join(reasons)
    open_ = ledger.question
    if open_ and _same(open_.text, text) and now - open_.at < _REMINDER:
        return ledger, ()
    return _changed(ledger, question=Question(text=text, at=now)), (text,)


def _same(one: str, other: str) -> bool:
    """Whether two questions differ in their figures at most."""
    return re.sub(r"\d+", "#", one) == re.sub(r"\d+", "#", other)


def _announced(case: Case, action: Action) -> Ledger:
    """The ledger with what is about to be done."""
    ledger = _suspension(case)
    match action:
        case Launch(slot, revision):
            moved = _reading(ledger, slot, ledger.entries[revision].revision.place)
            if slot != moved.active:
                open_since = moved.slots[slot].model_copy(update={"opened_at": case.now})
                moved = _with_slot(moved, slot, open_since)
            return _changed(moved, intent=_intent(case, slot, revision, None))
        case Update(slot, revision, job_id):
            return _changed(ledger, intent=_intent(case, slot, revision, job_id))
        case Drain(job_id):
            return _changed(
                ledger,
                stopped=(*ledger.stopped, job_id),
                drains={**ledger.drains, job_id: case.now},
            )
        case Open(slot):
            assert case.target.revision is not None
            name = case.target.revision.place.subscription_of(slot)
            opened = OpenSlot(subscription=name, ready=False, opened_at=case.now)
            return _with_slot(ledger, slot, opened)
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
    cancels = {**ledger.cancels, job_id: case.now}
    cancelled = _changed(ledger, stopped=(*ledger.stopped, job_id), cancels=cancels)
    job = next(job for job in case.seen.jobs if job.id == job_id)
    state, seek_to = ledger.slots.get(job.slot), case.unfinished_since(job)
    seeks = case.spec.drain.after_deadline == "cancel_and_seek"
    if state is None or seek_to is None or not seeks:
        return cancelled
    earliest = min(seek_to, state.seek_to or seek_to)
    return _with_slot(cancelled, job.slot, state.model_copy(update={"seek_to": earliest}))


def _suspension(case: Case) -> Ledger:
    ledger = case.ledger
    if bool(case.suspended) == (ledger.suspended_at is not None):
        return ledger
    return _changed(ledger, suspended_at=case.now if case.suspended else None)


def _reading(ledger: Ledger, slot: Slot, place: Place) -> Ledger:
    """The ledger once the slot's next job is to run in that place. Where that is another one than
    before, the slot begins anew, and serves alone."""
    name, state = place.subscription_of(slot), ledger.slots.get(slot)
    if state is not None and state.subscription == name:
        return ledger
    return _changed(ledger, active=slot, slots={slot: OpenSlot(subscription=name)})


def _ready(ledger: Ledger, slot: Slot, ready: bool) -> Ledger:
    return _with_slot(ledger, slot, ledger.slots[slot].model_copy(update={"ready": ready}))


def _with_slot(ledger: Ledger, slot: Slot, state: OpenSlot) -> Ledger:
    return _changed(ledger, slots={**ledger.slots, slot: state})


def _changed(ledger: Ledger, **changes: object) -> Ledger:
    return ledger.model_copy(update=changes)
