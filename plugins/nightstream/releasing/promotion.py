"""Whether the alias may be moved. Pure: what it says, and what the release stands on."""

from __future__ import annotations

from dataclasses import dataclass

from beam_jobs.runs.release import ReleasePlan


@dataclass(frozen=True)
class Move:
    """It says what it said when the release began."""


@dataclass(frozen=True)
class Moved:
    """It names the candidate already."""


@dataclass(frozen=True)
class Overtaken:
    """Somebody else has moved it meanwhile."""

    reason: str


def next_promotion(plan: ReleasePlan, said: str | None) -> Move | Moved | Overtaken:
    """said: the version that the alias names now."""
    champion = plan.champion.version if plan.champion else None
    if said == plan.candidate.version:
        return Moved()
    if said == champion:
        return Move()
    return Overtaken(
        f"the alias {plan.spec.model.version} names {said or 'nothing'} by now, and named "
        f"{champion or 'nothing'} when the release of {plan.candidate.version} began: somebody "
        "else moved it. Remedy: trigger the DAG again, which compares with the new champion"
    )
