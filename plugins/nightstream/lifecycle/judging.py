"""A revision proves itself, is rejected, or is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.budget import failed_at_once, failures_of, spent, times
from nightstream.lifecycle.health import Diagnosis, Verdict, diagnose
from nightstream.lifecycle.learned import Learned
from nightstream.lifecycle.ledger import Entry, Ledger, Outcome
from nightstream.lifecycle.readings import health_over
from nightstream.lifecycle.snapshot import SeenJob


def found_of(ledger: Ledger, job: SeenJob, spec: LifecycleSpec, now: datetime) -> Diagnosis:
    """What is found of a job's health by now, as the revision that it serves."""
    entry = ledger.entries.get(job.revision or "")
    since = entry.running_since if entry and entry.running_since else job.created_at
    window = timedelta(seconds=spec.health.window_seconds)
    health = health_over(ledger.readings.get(job.id, ()), window, since, now)
    return diagnose(health, spec.health)


def judged(learned: Learned, job: SeenJob, spec: LifecycleSpec, now: datetime) -> Learned:
    """A revision on probation passes it or is rejected; a restarted one has recovered."""
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is None:
        return learned
    found = found_of(learned.ledger, job, spec, now)
    if entry.outcome is Outcome.LAUNCHED and found.verdict is Verdict.ILL:
        chosen = learned.ledger.chosen == entry.revision.id
        return learned if chosen else _reject(learned, entry, found.reasons, now)
    passed = now - entry.running_since >= timedelta(seconds=spec.health.stabilisation_seconds)
    if found.verdict is not Verdict.GOOD or not passed:
        return learned
    return _good(learned, entry, found, now)


def _good(learned: Learned, entry: Entry, found: Diagnosis, now: datetime) -> Learned:
    ledger, name = learned.ledger, entry.revision.id
    failures = tuple(failure for failure in ledger.failures if failure.revision != name)
    alone = len(ledger.jobs) == 1
    again = entry.outcome is Outcome.STABLE and ledger.stable != name and alone
    if again or entry.outcome is Outcome.LAUNCHED:
        news = f"{name} is stable{' again' if again else ''}: {found}"
        stable = entry.became(Outcome.STABLE, now)
        return learned.with_entry(stable, news, stable=name, failures=failures)
    if failures != ledger.failures:
        return learned.adding(f"{name} has recovered: {found}", failures=failures)
    return learned


def _reject(learned: Learned, entry: Entry, reasons: tuple[str, ...], now: datetime) -> Learned:
    """The revision is not tried again."""
    rejected = entry.became(Outcome.REJECTED, now, reasons)
    news = f"{entry.revision.id} is rejected: {'; '.join(reasons)}"
    return learned.with_entry(rejected, news, alarming=True)


def given_up(learned: Learned, spec: LifecycleSpec, now: datetime) -> Learned:
    """A revision that was never stable and keeps failing makes way for one that was."""
    ledger = learned.ledger
    for name, entry in ledger.entries.items():
        if entry.outcome.unproved and ledger.stable is not None and name != ledger.chosen:
            failures = failures_of(ledger, name)
            if spent(failures, spec.restarts) or failed_at_once(failures):
                learned = _reject(learned, entry, (f"it ended {times(failures)}",), now)
    return learned
