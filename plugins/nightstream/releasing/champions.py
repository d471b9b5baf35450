"""Who was champion when: the ledger of a service's releases.

One small JSON object for each service, replaced only by compare-and-swap.
"""

from __future__ import annotations

from datetime import datetime

from beam_jobs.runs.plan import Pinned
from beam_jobs.runs.release import Action, ReleasePlan


class Crowned(Pinned):
    """One time that the alias was moved."""

    action: Action
    version: str
    previous: str | None
    """The champion before; None for the first one."""
    release: str
    """Key of the release."""
    at: datetime


class Champions(Pinned):
    """All of them, oldest first."""

    crowned: tuple[Crowned, ...] = ()

    def with_next(self, plan: ReleasePlan, at: datetime) -> Champions:
        """After a release has moved the alias; the same where it is written down already."""
        if self.last_of(plan) is not None:
            return self
        champion = plan.champion
        entry = Crowned(
            action=plan.action,
            version=plan.candidate.version,
            previous=champion.version if champion else None,
            release=plan.key,
            at=at,
        )
        return Champions(crowned=(*self.crowned, entry))

    def last_of(self, plan: ReleasePlan) -> Crowned | None:
        """The last entry, if it is this very release's."""
        last = self.crowned[-1] if self.crowned else None
        return last if last is not None and last.release == plan.key else None

    def before(self, version: str) -> str | None:
        """The champion that a version took the place of when it was released; None where unknown.

        A roll-back does not count as a release: rolled back twice, a service goes back twice.
        """
        releases = [c for c in self.crowned if c.action is Action.RELEASE and c.version == version]
        return releases[-1].previous if releases else None

    def rolled_back(self, version: str) -> bool:
        """Whether the service last went back from that version, rather than to it."""
        for entry in reversed(self.crowned):
            if entry.version == version:
                return False
            if entry.action is Action.ROLL_BACK and entry.previous == version:
                return True
        return False


def champions_uri(root: str) -> str:
    """The ledger, below a service's folder of releases."""
    return f"{root}/champions.json"
