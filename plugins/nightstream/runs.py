"""What the tasks of a night hand to one another, as JSON in XCom."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

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
    drift_allowed: str | None = None
    """Why the night is published though it drifts too far; None: then it is not."""


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


class AuditedRun(Pinned):
    """One complete attempt without findings: it may be published."""

    run_key: str
    attempt: int
    manifest_uri: str
    rows_in: int
    rows_scored: int
    rows_dead: int


class Outcome(StrEnum):
    """What became of an audited run."""

    PUBLISHED = "published"
    SKIPPED_IDENTICAL = "skipped_identical"
    """Another DAG run had published this very work."""
    DRY_RUN = "dry_run"


class PublishedRun(Pinned):
    """What `publish` did, and which publication stands since."""

    outcome: Outcome
    partition: str
    """The partition of predictions, as `project.dataset.table$YYYYMMDD`."""
    sequence: int | None = None
    """How often the night had been published; None, as all that follows, for a dry run."""
    dead_letters_load: str | None = None
    predictions_load: str | None = None
    """BigQuery job ids."""
    published_at: datetime | None = None
