"""A revision that an action is about is kept before anything is done with it."""

from __future__ import annotations

from beam_jobs.prediction.versions import ModelError
from nightstream.streaming.actions.cloud import Cloud, Overtaken, Refused
from nightstream.streaming.revisions import (
    GoneError,
    KeptRevision,
    declared_plan,
    keep,
    kept_code,
    kept_revision,
)


def require_kept(revision: str, cloud: Cloud) -> KeptRevision:
    """The revision as it is kept; it is kept from now on if it is the declared one. Raises
    Refused."""
    kept = kept_revision(cloud.root, revision, cloud.objects)
    if kept is None:
        _keep_declared(revision, cloud)
        kept = kept_revision(cloud.root, revision, cloud.objects)
        assert kept is not None
    return kept


def require_code(kept: KeptRevision, cloud: Cloud) -> bytes:
    """The wheel with the revision's code. Raises Refused."""
    try:
        return kept_code(kept, cloud.objects)
    except GoneError as error:
        raise Refused(str(error)) from error


def _keep_declared(revision: str, cloud: Cloud) -> None:
    try:
        plan = declared_plan(cloud.spec, cloud.environment, cloud.objects)
    except ModelError as error:
        raise Refused(f"revision {revision} is not kept yet, and cannot be: {error}") from error
    if plan.revision != revision:
        raise Overtaken(
            f"revision {revision} is not kept, and what is declared is {plan.revision} by now: it "
            "changed meanwhile; the next round looks again"
        )
    keep(plan, cloud.objects)
