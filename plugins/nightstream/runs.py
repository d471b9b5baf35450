"""What the tasks of a night hand to one another, as JSON in XCom."""

from __future__ import annotations

from datetime import date

from beam_jobs.runs.plan import Pinned


class ResolvedRun(Pinned):
    """What `resolve` pinned; the plan itself lies at `plan_uri`."""

    service: str
    score_date: date
    run_key: str
    plan_uri: str
    root: str
    """Folder of all runs of the service (`RunLayout(root, run_key)` names this run's files)."""
    inputs: int
    """How many input objects are scored."""
    model_version: str
    model_kind: str
    late_inputs: tuple[str, ...] = ()
    """Objects that came, or changed, after an earlier night that should hold them was published."""
    dry_run: bool = False
    """Everything up to the audit; nothing is published."""
    force: bool = False
    """Score and publish again, even if this very work is done already."""
    dead_letter_limit: float
    """Largest share of dead rows with which the night is published (0 to 1)."""


class ScoredRun(Pinned):
    """What `score` found or made: one complete attempt of the run."""

    run_key: str
    attempt: int
    job_id: str | None
    """Dataflow's id; None when the service has forgotten the job (it does after 30 days)."""
    job_name: str
    manifest_uri: str
    reused: bool
    """True when the output was there already and no job was waited for."""
