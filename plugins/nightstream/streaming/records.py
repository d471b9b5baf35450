"""What the tasks of a streaming DAG hand to one another, as JSON in XCom."""

from __future__ import annotations

from datetime import datetime

from beam_jobs.runs.plan import Pinned
from nightstream.forms.streaming import Action


class PreparedJob(Pinned):
    """One revision of the streaming job, ready to be launched; its plan lies at `plan_uri`."""

    service: str
    revision: str
    plan_uri: str
    subscription: str
    """Full name of what the job reads."""
    model_version: str


class AskedFor(Pinned):
    """What was asked of which jobs; that it comes to be is for the next task to see."""

    action: Action
    job_ids: tuple[str, ...]
    """Empty where there was nothing to do it with."""
    at: datetime
