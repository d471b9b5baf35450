"""What the steps of one round of reconciliation hand to one another, as JSON in XCom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from nightstream.lifecycle.case import Timing
from nightstream.lifecycle.decision import Decision
from nightstream.lifecycle.snapshot import Snapshot

T = TypeVar("T")


@dataclass(frozen=True)
class Observed:
    """What was seen, and when."""

    at: datetime
    generation: int
    """Of the ledger that was read; 0 where there is none yet."""
    snapshot: Snapshot
    timing: Timing


@dataclass(frozen=True)
class Decided:
    """What was decided on it."""

    at: datetime
    """When that was seen which the decision stands on."""
    generation: int
    """Of the ledger that it stands on: `before` replaces just that one."""
    decision: Decision


@dataclass(frozen=True)
class Acted:
    """What came of the action, as far as is known at once."""

    generation: int
    """Of the ledger with `before`."""
    refused: str = ""
    """Why the action was certainly not taken; else empty."""
    overtaken: bool = False
    """Whether that is because something came between; the revision is not to blame."""


def to_json(step: Any) -> Any:
    """A step's result as plain JSON."""
    return TypeAdapter(type(step)).dump_python(step, mode="json")


def from_json(kind: type[T], value: Any) -> T:
    """What `to_json` made of a step's result."""
    return TypeAdapter(kind).validate_python(value, strict=False)
