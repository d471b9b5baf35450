"""What is known of nights and of requests: the books that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from nightstream.publishing.ledger import Ledger


@dataclass(frozen=True)
class Difference:
    """Two books that do not agree."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Remedy: {self.remedy}"


@dataclass(frozen=True)
class Counted:
    """What a run's manifest says."""

    rows_in: int
    rows_scored: int
    rows_dead: int


@dataclass(frozen=True)
class Revision:
    """A replay among the runs that made what stands: what it started from, what it repaired."""

    run_key: str
    before: Counted
    after: Counted
    remembered: int
    """Letters that the table of replays calls repaired by it."""


@dataclass(frozen=True)
class Recorded:
    """The row of `scoring_runs` of one publication."""

    sequence: int
    run_key: str
    rows: Counted


@dataclass(frozen=True)
class NightBooks:
    """Everything that speaks of one night."""

    night: date
    due: bool
    """Whether the schedule has the night, and it is over."""
    ledger: Ledger
    counted: Counted | None = None
    """None: the manifest of what stands is gone."""
    revisions: tuple[Revision, ...] = ()
    run_keys: frozenset[str] = frozenset()
    """Of the run that stands and of those that it revises."""
    unread: tuple[str, ...] = ()
    """Files of the night's folder that what stands has not read."""
    changed: tuple[str, ...] = ()
    """Files that are not as they were when they were read."""
    predictions: Mapping[str, int] = field(default_factory=dict)
    """Rows in the partition by run key."""
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    recorded: tuple[Recorded, ...] = ()
    expired: frozenset[str] = frozenset()
    """Of `predictions` and `dead letters` those whose partitions of that age may have expired."""

    @property
    def repaired(self) -> int:
        """Dead letters of the night that replays have repaired."""
        return sum(revision.remembered for revision in self.revisions)


@dataclass(frozen=True)
class DayBooks:
    """The requests that were published on one day (UTC), by the live tables."""

    day: date
    scored: int = 0
    """Requests with a prediction."""
    dead: int = 0
    """Requests without one."""
    scored_rows: int = 0
    """Rows written, doubles included."""
    dead_rows: int = 0
    in_both: int = 0
    """Requests that both views have."""
    sent_again: int = 0
    """Requests that a replay has sent."""
    lost: int = 0
    """Of those, the ones that neither view has."""
    set_aside: tuple[str, ...] = ()
    """Objects with letters that their table refused."""
