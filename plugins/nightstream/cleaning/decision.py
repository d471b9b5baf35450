"""What goes, what stays, and why. Pure: what was seen in, verdicts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from nightstream.cleaning.inventory import Bundle
from nightstream.jobs.job import Job, Phase
from nightstream.scoring.claims import StandingClaim


@dataclass(frozen=True)
class Verdict:
    """What becomes of a bundle."""

    bundle: Bundle
    goes: bool
    why: str


@dataclass(frozen=True)
class Sweep:
    """What is to be done about a service's work bucket."""

    verdicts: tuple[Verdict, ...] = ()
    claims: tuple[StandingClaim, ...] = ()
    """Of DAG runs that wait for nothing any more."""
    jobs: tuple[Job, ...] = ()
    """Active, and claimed by nobody."""


def judge(
    bundles: Iterable[Bundle], live: Mapping[str, str], now: datetime, age: timedelta
) -> tuple[Verdict, ...]:
    """What becomes of each bundle: it goes when it is old and nothing speaks for it.

    live: why a bundle is needed, by its name.
    """
    return tuple(_judged(bundle, live.get(bundle.name), now, age) for bundle in bundles)


def _judged(bundle: Bundle, needed: str | None, now: datetime, age: timedelta) -> Verdict:
    used = f"last used on {bundle.last_used:%Y-%m-%d}"
    if needed:
        return Verdict(bundle, False, f"{used}, but {needed}")
    if now - bundle.last_used <= age:
        return Verdict(bundle, False, f"{used}, within {age.days} days")
    return Verdict(bundle, True, f"{used}, more than {age.days} days ago")


def needed_runs(
    jobs: Iterable[Job], claims: Iterable[StandingClaim], publishing: Iterable[str]
) -> dict[str, str]:
    """Why a run is needed, by its key.

    claims: of DAG runs that wait. publishing: keys of runs whose publication is under way.
    """
    return {
        **dict.fromkeys(publishing, "its publication is under way"),
        **{c.run_key: f"{c.claim.dag_id}, run {c.claim.run_id}, waits for it" for c in claims},
        **{
            job.labels["run_key"]: f"job {job.id} is active"
            for job in jobs
            if "run_key" in job.labels
        },
    }


def latest(claims: Iterable[StandingClaim]) -> list[StandingClaim]:
    """Of each DAG run the claim that it wrote last: a run that was resolved anew works on
    something else now, and waits for its former job no longer."""
    found: dict[tuple[str, str], StandingClaim] = {}
    for claim in sorted(claims, key=lambda claim: (claim.updated, claim.uri)):
        found[claim.claim.dag_id, claim.claim.run_id] = claim
    return list(found.values())


def unclaimed(jobs: Iterable[Job], waiting: Iterable[StandingClaim]) -> tuple[Job, ...]:
    """The active jobs of runs that no DAG run waits for."""
    claimed = {claim.run_key for claim in waiting}
    return tuple(
        job
        for job in jobs
        if job.phase is Phase.ACTIVE
        and "run_key" in job.labels
        and job.labels["run_key"] not in claimed
    )
