"""Requests under suspicion of hanging the model, and what is done with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from beam_jobs.runs.plan import Pinned


class RequestKey(NamedTuple):
    """What names a request through every redelivery: its message, and its line there."""

    message_id: str
    position: int


class HungCall(Pinned):
    """A call of the model that did not return in time; each of its requests is a suspect."""

    hung_at: datetime
    seconds: float
    """How long it was waited for."""
    requests: tuple[RequestKey, ...]

    @property
    def alone(self) -> bool:
        """Whether it was a single request: then there is no doubt which one it was."""
        return len(self.requests) == 1


class Suspicion(NamedTuple):
    """What is known against one request."""

    alone: int = 0
    """How often it hung the model when it was called alone."""
    in_company: int = 0
    """How often it was among the requests of a call that hung."""


Suspects = Mapping[RequestKey, Suspicion]


class Treatment(Enum):
    """What is done with a request."""

    MERGE = "merge"
    """It is called with others."""
    CALL_ALONE = "call alone"
    GIVE_UP = "give up"
    """It is a dead letter without another call."""


def treatment(suspicion: Suspicion | None, max_attempts: int) -> Treatment:
    """What is done with a request of which that is known; None: nothing is.

    max_attempts: so often may a request hang the model when it is called alone.
    """
    if suspicion is None:
        return Treatment.MERGE
    if suspicion.alone >= max_attempts:
        return Treatment.GIVE_UP
    return Treatment.CALL_ALONE


def suspects_of(calls: Iterable[HungCall]) -> Suspects:
    """All that those calls say of their requests."""
    suspects: dict[RequestKey, Suspicion] = {}
    for call in calls:
        for request in call.requests:
            alone, in_company = suspects.get(request, Suspicion())
            suspects[request] = Suspicion(alone + call.alone, in_company + (not call.alone))
    return suspects
