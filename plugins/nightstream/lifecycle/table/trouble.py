"""States of jobs, ill health, ends that nobody asked for, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace

from nightstream.lifecycle.ledger import FailureKind, Ledger, Outcome
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.table.examples import (
    ILL,
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    a_reading,
    an_entry,
    example,
    failures,
)
from nightstream.streaming.naming import Slot

_IDLE = a_reading(requests=0, scored=0)
_STUCK = a_reading(
    requests=0, scored=0, backlog=700, oldest_unacked_seconds=1_500, watermark_age_seconds=1_500
)
_NEW = {Outcome.STABLE: R1, Outcome.LAUNCHED: R2}


def states() -> tuple[tuple[str, Example], ...]:
    """One job in each state, none, and two."""
    first, second = a_job(), a_job(id="job-2", minutes=5)
    return (
        ("no job", example()),
        *((f"a job that is {state}", example(a_job(R1, state, minutes=2))) for state in _STATES),
        ("a job that is PENDING for an hour", example(a_job(R1, "PENDING"))),
        ("a job in a state that is not known here", example(a_job(R1, "PAUSED"))),
        ("a job of a revision that the ledger does not know", example(a_job("R0"))),
        ("a job without our labels, under our job's name", example(a_job(None))),
        ("two jobs in one slot", example(first, second)),
        (
            "two jobs in one slot, of which one is ending",
            example(first, a_job(R1, "CANCELLING", id="job-2", minutes=5)),
        ),
        ("a job in slot b, which is not in use", example(first, a_job(id="job-2", slot=Slot.B))),
    )


_STATES = ("PENDING", "RUNNING", "DRAINING", "CANCELLING", "RESOURCE_CLEANING_UP")


def health() -> tuple[tuple[str, Example], ...]:
    """Each verdict, on probation and afterwards."""
    return (
        ("on probation; good, since 5 minutes", _on_probation(5)),
        ("on probation; good, since an hour", _on_probation(60)),
        ("on probation; no traffic, since an hour", _on_probation(60, _IDLE)),
        ("on probation; too many dead letters", _on_probation(5, ILL)),
        ("on probation; requests wait and none comes out", _on_probation(20, _STUCK)),
        ("on probation; too many dead letters; nothing was stable before", _first(ILL)),
        ("on probation; its counters cannot be read", _on_probation(60, _UNKNOWN)),
        ("stable; good", example(a_job())),
        ("stable; no traffic", example(a_job(), reading=_IDLE)),
        ("stable; too many dead letters", example(a_job(), reading=ILL)),
        ("stable; 21 error messages", example(a_job(), reading=a_reading(errors=21))),
        ("stable; requests wait and none comes out", example(a_job(), reading=_STUCK)),
        ("stable; its counters cannot be read", example(a_job(), reading=_UNKNOWN)),
    )


_UNKNOWN = a_reading(requests=None, dead=None, scored=None)


def _on_probation(minutes: float, reading: Reading | None = None) -> Example:
    known = a_ledger(_NEW)
    entries = {**known.entries, "R2": an_entry(R2, Outcome.LAUNCHED, minutes)}
    ledger = known.model_copy(update={"entries": entries})
    return example(a_job(R2, minutes=minutes), wanted=R2, ledger=ledger, reading=reading)


def _first(reading: Reading) -> Example:
    return example(a_job(), ledger=a_ledger({Outcome.LAUNCHED: R1}), reading=reading)


def ends() -> tuple[tuple[str, Example], ...]:
    """Each kind of end, and how often."""
    return (
        ("a job of the stable revision failed", _after("FAILED", a_ledger())),
        ("somebody cancelled it in another client", _after("CANCELLED", a_ledger())),
        ("we had drained it", _after("DRAINED", a_ledger(stopped=("job-1",)))),
        ("the third time: it failed 20 seconds ago", _again(3, 1 / 3)),
        ("the third time: it failed 3 minutes ago", _again(3, 3)),
        ("the sixth time: the budget is spent", _again(6, 3)),
        ("the new `R2` failed as it started", _release(1)),
        ("the new `R2` failed once, and none was ever stable", _release(1, stable=False)),
        ("the new `R2` failed twice, and none was ever stable", _release(2, stable=False)),
    )


def _after(state: str, ledger: Ledger) -> Example:
    return example(a_job(R1, state), ledger=ledger)


def _again(times: int, minutes: float) -> Example:
    crashes = failures(R1, FailureKind.CRASH, times, minutes)
    return example(ledger=a_ledger(failures=crashes))


def _release(times: int, *, stable: bool = True) -> Example:
    outcomes = {Outcome.STABLE: R1, Outcome.FAILED: R2} if stable else {Outcome.FAILED: R2}
    failed = failures(R2, FailureKind.RELEASE, times, 3)
    return example(wanted=R2, ledger=a_ledger(outcomes, failures=failed))


def unread() -> tuple[tuple[str, Example], ...]:
    """What is declared is not known."""
    return (
        ("a job runs", example(a_job(), wanted=None)),
        ("no job stands", example(wanted=None)),
        ("no job stands, and none was ever stable", example(wanted=None, ledger=a_ledger({}))),
        ("a job on probation is ill", _ill_and_unread()),
    )


def _ill_and_unread() -> Example:
    seen = _on_probation(5, ILL)
    return replace(seen, seen=replace(seen.seen, wanted=None, problem="weights.yaml: wrong"))
