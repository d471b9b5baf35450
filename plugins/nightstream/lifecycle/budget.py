"""How long to wait before a job is started again, and when to stop trying."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import RestartSpec
from nightstream.lifecycle.ledger import Failure, FailureKind, Ledger

_TRIES_OF_A_RELEASE = 2
"""A new revision whose jobs fail at once will not mend itself."""


def failures_of(ledger: Ledger, revision: str) -> list[Failure]:
    """What happened to a revision since it was last of good health."""
    return [failure for failure in ledger.failures if failure.revision == revision]


def times(failures: Sequence[Failure]) -> str:
    """How often it failed and how, in words."""
    kinds = ", ".join(failure.kind for failure in failures)
    number = "once" if len(failures) == 1 else f"{len(failures)} times"
    why = f": {failures[-1].reason}" if failures[-1].reason else ""
    return f"{number} ({kinds}{why})"


def failed_at_once(failures: Sequence[Failure]) -> bool:
    """Whether a job of the revision failed before that was ever stable."""
    return any(failure.kind is FailureKind.RELEASE for failure in failures)


def spent(failures: Sequence[Failure], spec: RestartSpec) -> bool:
    """Whether there were too many of them to try again."""
    of_release = sum(failure.kind is FailureKind.RELEASE for failure in failures)
    return len(failures) > spec.most or of_release >= _TRIES_OF_A_RELEASE


def next_try(failures: Sequence[Failure], spec: RestartSpec) -> datetime | None:
    """When to try again, each wait being twice the one before; None for at once."""
    if not failures:
        return None
    wait = min(spec.longest_wait_seconds, spec.first_wait_seconds * 2 ** (len(failures) - 1))
    return failures[-1].at + timedelta(seconds=wait)
