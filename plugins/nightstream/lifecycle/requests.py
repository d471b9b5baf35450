"""What a person asks for becomes an override in the ledger, which every later round obeys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from nightstream.lifecycle.ledger import Entry, Ledger, Outcome, Override
from nightstream.lifecycle.snapshot import Snapshot


class Kind(StrEnum):
    """What a person may ask for."""

    RECONCILE = "reconcile"
    """A round, now."""
    SUSPEND = "suspend"
    """Drain the job and start none."""
    RESUME = "resume"
    """Lift whatever was asked for before."""
    REDEPLOY = "redeploy"
    """Drain the job and launch what is declared anew, also where it was rejected."""
    ROLL_BACK = "roll_back"
    """Run an earlier revision until another one is declared."""
    PIN = "pin"
    """Run a revision until that is lifted, whatever is declared."""
    CANCEL = "cancel"
    """Cancel the job and start none."""


@dataclass(frozen=True)
class Request:
    """One person's request."""

    kind: Kind
    by: str
    revision: str | None = None
    """Of `roll_back` and `pin`, or the first digits of it; without it the one that was stable last,
    or the one that runs."""


class RequestError(Exception):
    """What was asked for cannot be done; the message says why, and the remedy."""


def with_request(seen: Snapshot, request: Request, asked_at: datetime) -> Snapshot:
    """The snapshot with the request in its ledger. Raises RequestError, also where it has been
    obeyed before or a later one has: a round that is repeated does not repeat its request."""
    if request.kind is Kind.RECONCILE:
        return seen
    obeyed_at = seen.ledger.obeyed_at
    if obeyed_at is not None and asked_at <= obeyed_at:
        raise RequestError(
            f"{request.kind} was asked for at {asked_at:%d %B %H:%M:%S}, and what was asked for at "
            f"{obeyed_at:%d %B %H:%M:%S} has been obeyed. Remedy: trigger it anew"
        )
    ledger = _obeying(seen, request, asked_at)
    return replace(seen, ledger=_changed(ledger, obeyed_at=asked_at))


def _obeying(seen: Snapshot, request: Request, at: datetime) -> Ledger:
    match request.kind:
        case Kind.RECONCILE:
            return seen.ledger
        case Kind.RESUME:
            return _resumed(seen.ledger, at)
        case Kind.SUSPEND:
            return _overridden(seen, Override(kind="suspend", by=request.by, at=at))
        case Kind.CANCEL:
            return _overridden(seen, Override(kind="cancel", by=request.by, at=at))
        case Kind.REDEPLOY:
            return _redeployed(seen, request, at)
        case Kind.PIN:
            entry = _named(seen, request.revision or _running(seen))
            pin = Override(kind="pin", revision=entry.revision.id, by=request.by, at=at)
            return _changed(_given_another_chance(seen.ledger, entry, at), override=pin)
        case Kind.ROLL_BACK:
            return _rolled_back(seen, request, at)


def _resumed(ledger: Ledger, now: datetime) -> Ledger:
    """What a roll-back rejected is tried again; what was rejected before that is not."""
    override = ledger.override
    entry = ledger.entries.get(override.instead_of or "") if override else None
    if override and entry and entry.times.get(Outcome.REJECTED) == override.at:
        ledger = _given_another_chance(ledger, entry, now)
    return _changed(ledger, override=None)


def _redeployed(seen: Snapshot, request: Request, now: datetime) -> Ledger:
    """All that spoke against what is declared is forgotten."""
    running = [job for job in seen.standing(seen.ledger.active) if job.running]
    ledger, wanted = seen.ledger, seen.wanted
    if wanted is None:
        raise RequestError(
            f"nothing could be launched afterwards: {seen.problem}. Remedy: mend that first"
        )
    if wanted.id in ledger.entries:
        ledger = _given_another_chance(ledger, ledger.entries[wanted.id], now)
    job_id = running[-1].id if running else None
    override = Override(kind="redeploy", job_id=job_id, by=request.by, at=now)
    return _changed(ledger, failures=(), refused=(), override=override if job_id else None)


def _rolled_back(seen: Snapshot, request: Request, now: datetime) -> Ledger:
    left = seen.wanted.id if seen.wanted else _running(seen) or ""
    before = _stable_before(seen, left)
    entry = _named(seen, request.revision or before)
    name = entry.revision.id
    if name == left:
        raise RequestError(
            f"{name} is the revision that is declared. Remedy: name an earlier one, or change the "
            "spec or the model"
        )
    ledger = _given_another_chance(seen.ledger, entry, now)
    if left in ledger.entries and ledger.outcome(left) is not Outcome.REJECTED:
        reason = f"{request.by} rolled it back to {name}"
        rejected = ledger.entries[left].became(Outcome.REJECTED, now, (reason,))
        ledger = _changed(ledger, entries={**ledger.entries, left: rejected})
    stable = before if ledger.stable == left else ledger.stable
    override = Override(
        kind="roll_back", revision=name, instead_of=left or None, by=request.by, at=now
    )
    return _changed(ledger, override=override, stable=stable)


def _given_another_chance(ledger: Ledger, entry: Entry, now: datetime) -> Ledger:
    """What a person chooses is tried again, whatever became of it before."""
    name = entry.revision.id
    if entry.outcome in (Outcome.REJECTED, Outcome.FAILED):
        again = entry.became(Outcome.PROPOSED, now)
        ledger = _changed(ledger, entries={**ledger.entries, name: again})
    failures = tuple(failure for failure in ledger.failures if failure.revision != name)
    return _changed(ledger, failures=failures)


def _stable_before(seen: Snapshot, left: str) -> str | None:
    """The revision other than the one to be left that was stable last."""
    stable = [
        entry
        for name, entry in seen.ledger.entries.items()
        if entry.outcome is Outcome.STABLE and name != left
    ]
    latest = max(stable, key=lambda entry: entry.times[Outcome.STABLE], default=None)
    return latest.revision.id if latest else None


def _running(seen: Snapshot) -> str | None:
    standing = seen.standing(seen.ledger.active)
    return standing[-1].revision if standing else None


def _named(seen: Snapshot, name: str | None) -> Entry:
    """The revision of that name, or the only one that begins so."""
    entries = seen.ledger.entries
    found = [entry for key, entry in entries.items() if name and key.startswith(name)]
    if len(found) == 1:
        return found[0]
    known = "; ".join(
        f"{key} ({entry.outcome}, model {entry.revision.model_version})"
        for key, entry in entries.items()
    )
    what = f"{name!r} names {len(found) or 'no'} revisions" if name else "there is no such revision"
    raise RequestError(f"{what}. Remedy: choose one of the ledger's: {known or 'it has none'}")


def _overridden(seen: Snapshot, override: Override) -> Ledger:
    return _changed(seen.ledger, override=override)


def _changed(ledger: Ledger, **changes: object) -> Ledger:
    return ledger.model_copy(update=changes)
