"""The books of a night on the stack, compared with those of a night that nothing happened to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from local.stack.processes import marked
from nightstream.scoring.claims import claims_of
from tests.support.faults.stack_night import SERVICE, WORK, StackNight, eventually_none, named

_OF_THIS_NIGHT = ("score_date", "scored_at", "dead_at", "run_key")
"""Columns that differ though two nights have the same input."""
_ACTIVE = ("RUNNING", "PENDING", "QUEUED", "CANCELLING")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class StackBooks:
    """What the tables hold of a night, but for what makes it this night."""

    predictions: Rows
    dead_letters: Rows


def stack_books(night: StackNight) -> StackBooks:
    return StackBooks(_rows(night, "predictions"), _rows(night, "dead_letters"))


def differences(night: StackNight, run_id: str, flawless: StackBooks) -> list[str]:
    """All that is wrong after the night's only DAG run."""
    return [
        *_tables(night, run_id, flawless),
        *_jobs(night),
        *_left_behind(night),
    ]


def _tables(night: StackNight, run_id: str, flawless: StackBooks) -> Iterator[str]:
    ledger = night.ledger()
    if ledger.lease or ledger.intent or not ledger.published:
        yield f"the publication is not over: {ledger}"
    if stack_books(night) != flawless:
        yield "the partitions do not hold what a run without faults leaves there"
    recorded = [(row["run_id"], row["outcome"]) for row in night.nights.recorded(night.day)]
    if [run for run, _ in recorded] != [run_id]:
        yield f"scoring_runs holds {recorded}, wanted is one row of {run_id}"


def _jobs(night: StackNight) -> Iterator[str]:
    """At most one is active at any time, and none by now."""
    jobs = night.jobs()
    for before, after in pairwise(jobs):
        if after["createTime"] < before["currentStateTime"]:
            yield f"two jobs at once: {before} and {after}"
    yield from (f"still active: {job}" for job in jobs if _is_active(job))


def _is_active(job: dict[str, Any]) -> bool:
    return str(job["currentState"]).removeprefix("JOB_STATE_") in _ACTIVE


def _left_behind(night: StackNight) -> Iterator[str]:
    nights = night.nights
    claims = claims_of(nights.objects, WORK, SERVICE)
    day = night.day.isoformat()
    yield from (f"claim {claim.claim}" for claim in claims if f"/{day}/" in claim.uri)
    ids = [job["id"] for job in night.jobs()]
    plan = night.layout.plan if night.layout else ""

    def orphans() -> list[str]:
        return [
            str(process)
            for process in marked(nights.stack.settings.home)
            if named(process, f"--plan={plan}") or any(named(process, id_) for id_ in ids)
        ]

    yield from (f"process {orphan}" for orphan in eventually_none(orphans))


def _rows(night: StackNight, part: str) -> Rows:
    sql = (
        f"SELECT * FROM {{dataset}}.babyweight_{part} WHERE score_date IN UNNEST(@nights) "
        "ORDER BY source_uri, source_position"
    )
    return [_comparable(row) for row in night.nights.query(sql, [night.day])]


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in _OF_THIS_NIGHT}
    return {**kept, "source_uri": str(row["source_uri"]).rpartition("/")[2]}
