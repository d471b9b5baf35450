"""The situations of the table, a group to a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nightstream.lifecycle.table import changes, people, trouble, upgrades
from nightstream.lifecycle.table.examples import Example

Rows = tuple[tuple[str, Example], ...]


@dataclass(frozen=True)
class Group:
    """Situations that differ in one thing."""

    title: str
    given: str
    """What they have in common."""
    rows: Callable[[], Rows]


GROUPS = (
    Group("What stands", "`R1` is declared and stable.", trouble.states),
    Group(
        "What has changed",
        "A job of `R1` runs and does well; what is declared differs from it.",
        changes.changes,
    ),
    Group(
        "Side by side",
        "`R2` is declared, the strategy is `parallel`, and slot b is open.",
        upgrades.side_by_side,
    ),
    Group(
        "Under way",
        "Something was done five minutes ago whose outcome is not known yet; a launch has ten "
        "minutes to be seen.",
        upgrades.under_way,
    ),
    Group("Health", "A job of the declared revision runs.", trouble.health),
    Group(
        "Jobs that have ended",
        "No job stands; the last one has ended a minute ago and nobody had asked for that.",
        trouble.ends,
    ),
    Group("Drains", "`R2` is declared, and `R1` has to make way.", upgrades.drains),
    Group("What a person has asked for", "`R1` and `R2` have both been stable.", people.overrides),
    Group("What was refused or rejected", "A job of `R1` runs; `R2` is declared.", people.refusals),
    Group("What cannot be read", "The spec is wrong, or the model is not there.", trouble.unread),
)
