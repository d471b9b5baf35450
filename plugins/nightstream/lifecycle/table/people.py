"""What people have asked for, and what they are asked."""

from __future__ import annotations

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.ledger import Outcome, Override
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.lifecycle.table.examples import (
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    ago,
    asked,
    example,
)

_SUSPENDED = LifecycleSpec(state="suspended")


def overrides() -> tuple[tuple[str, Example], ...]:
    """Each request while the job runs, and once it has ended."""
    suspend, cancel = asked("suspend"), asked("cancel")
    return (
        ("suspend; a job runs", _with(suspend, a_job())),
        ("suspend; it drains", _with(suspend, a_job(R1, "DRAINING"))),
        ("suspend; it starts", _with(suspend, a_job(R1, "PENDING", minutes=2))),
        ("suspend; none stands", _with(suspend)),
        ("suspend, for six of the seven days of retention", _with(suspend, days=6)),
        ("`state: suspended` in the spec", example(a_job(), spec=_SUSPENDED)),
        ("cancel; a job runs", _with(cancel, a_job())),
        ("cancel; it drains", _with(cancel, a_job(R1, "DRAINING"))),
        ("cancel; it is being cancelled", _with(cancel, a_job(R1, "CANCELLING"))),
        ("cancel; none stands", _with(cancel)),
        ("pin of `R2`; `R1` runs and is declared", _with(asked("pin", revision="R2"), a_job())),
        ("pin of `R2`, which runs", _with(asked("pin", revision="R2"), a_job(R2))),
        (
            "roll_back to `R2`; `R1` runs and is declared",
            _with(asked("roll_back", revision="R2", instead_of="R1"), a_job()),
        ),
        (
            "roll_back to `R2`, which runs; by now something else is declared",
            _with(asked("roll_back", revision="R2", instead_of="R0"), a_job(R2)),
        ),
        ("redeploy; the job runs", _with(asked("redeploy", job_id="job-1"), a_job())),
        ("redeploy; the job has ended", _with(asked("redeploy", job_id="job-1"))),
    )


def _with(override: Override, *jobs: SeenJob, days: int = 0) -> Example:
    known = a_ledger({Outcome.STABLE: (R1, R2)}, override=override)
    since = {"suspended_at": ago(days * 24 * 60)} if days else {}
    return example(*jobs, ledger=known.model_copy(update=since))


def refusals() -> tuple[tuple[str, Example], ...]:
    """Where a revision cannot be had."""
    rejected = a_ledger({Outcome.STABLE: R1, Outcome.REJECTED: R2})
    only = a_ledger({Outcome.REJECTED: R2})
    return (
        ("`R2` is rejected", example(a_job(), wanted=R2, ledger=rejected)),
        ("`R2` is rejected, and runs", example(a_job(R2), wanted=R2, ledger=rejected)),
        ("`R2` is rejected; no job stands", example(wanted=R2, ledger=rejected)),
        (
            "`R2` is rejected, runs, and none was ever stable",
            example(a_job(R2), wanted=R2, ledger=only),
        ),
        ("`R2` is rejected, none was ever stable, no job stands", example(wanted=R2, ledger=only)),
    )
