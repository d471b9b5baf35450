"""What the engine hands around: batches of messages and pieces of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apache_beam.pipeline import AppliedPTransform
from apache_beam.runners.direct.bundle_factory import _Bundle

if TYPE_CHECKING:
    from local.cloud.dataflow.worker.streaming.source import Source


@dataclass(eq=False)
class Batch:
    """The messages of one bundle, until its first stage is committed."""

    source: Source
    messages: list[Any]
    elements: list[Any]
    """The messages as the pipeline sees them, with their event times."""
    generation: int
    failures: int = 0
    """How often a message that is alone in its bundle has failed."""
    open: int = 0
    """Pieces of work of the first stage still to be done."""
    exits: list[Work] = field(default_factory=list)
    """What leaves the first stage, once all of it has succeeded."""
    failed: bool = False


@dataclass(eq=False)
class Work:
    """A bundle, or fired timers, for a step. `batch` is set within the first stage."""

    step: AppliedPTransform
    bundle: _Bundle
    batch: Batch | None = None
    timers: Sequence[Any] = ()
    failures: int = 0
    blocked: bool = False
    """Waits for a side input; set by Beam's container of side inputs."""
    side_inputs: dict[Any, Any] = field(default_factory=dict)
