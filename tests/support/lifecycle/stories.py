"""What may happen to a streaming job that runs: each story begins with a stable job of model v1,
and ends with a job that runs as declared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nightstream.lifecycle.ledger import Outcome
from nightstream.streaming.naming import Slot
from tests.support.lifecycle.service import REFUSED_ABOVE, DeclaredService, Life
from tests.support.lifecycle.watch import WatchedJob

Play = Callable[[DeclaredService, Life], None]


@dataclass(frozen=True)
class Story:
    """One of them, and the lifecycle that it needs declared from the beginning."""

    play: Play
    lifecycle: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self, service: DeclaredService) -> None:
        """The model, the spec, and where requests are published."""
        service.release("v1")
        service.declare(**self.lifecycle)

    def begin(self, service: DeclaredService) -> None:
        """Everything up to the first job, which is stable afterwards."""
        service.switch_on()
        service.await_outcome("v1", Outcome.STABLE)


def serving(service: DeclaredService, life: Life) -> WatchedJob:
    """The only job that stands, once it is RUNNING with the stable revision."""

    def found() -> WatchedJob | None:
        standing = life.watch.standing()
        stable = service.ledger.stable
        alone = len(standing) == 1 and standing[0].state == "RUNNING"
        return standing[0] if alone and standing[0].revision == stable else None

    return service.eventually("waited for a single job of the stable revision", found)


def upgraded(service: DeclaredService, life: Life) -> None:
    """Another model becomes the champion."""
    service.release("v2")
    service.await_outcome("v2", Outcome.STABLE)
    serving(service, life)


def replaced(service: DeclaredService, life: Life) -> None:
    """A change that must not be made in place."""
    service.declare(upgrade={"generation": 2})
    upgraded(service, life)


def refused(service: DeclaredService, life: Life) -> None:
    """A change that the service refuses to make in place: it knows no such step."""
    service.declare(upgrade={"transform_names": {"No such step": "Another"}})
    upgraded(service, life)


def side_by_side(service: DeclaredService, life: Life) -> None:
    """There, in a slot of its own, and back."""
    service.release("v2")
    service.await_outcome("v2", Outcome.STABLE)
    service.eventually("waited for slot b to serve alone", lambda: alone(service, Slot.B))
    service.release("v3")
    service.await_outcome("v3", Outcome.STABLE)
    service.eventually("waited for slot a to serve alone", lambda: alone(service, Slot.A))
    serving(service, life)


def alone(service: DeclaredService, slot: Slot) -> bool:
    """Whether that slot is the only one in use."""
    return list(service.ledger.slots) == [slot]


def rolled_back(service: DeclaredService, life: Life) -> None:
    """A release that refuses 30% of the requests."""
    first = service.ledger.stable
    service.release("v2", most=REFUSED_ABOVE)
    service.await_outcome("v2", Outcome.REJECTED)
    service.await_rounds(2)
    assert serving(service, life).revision == first


def lost(service: DeclaredService, life: Life) -> None:
    """The process that scores is killed, and then what watches over it: the job is FAILED."""
    job = serving(service, life)
    worker = service.worker(job.id)
    worker.kill()
    service.eventually("waited for another process", lambda: service.worker(job.id) != worker)
    supervisor = service.worker(job.id).parent()
    assert supervisor is not None
    supervisor.kill()
    service.eventually("waited for the job's end", lambda: job.state == "FAILED")
    service.eventually("waited for another job", lambda: serving(service, life) is not job)


def cancelled(service: DeclaredService, life: Life) -> None:
    """A stranger cancels the job."""
    job = serving(service, life)
    service.ask(job.id, "CANCELLED")
    service.eventually("waited for the job's end", lambda: job.state == "CANCELLED")
    serving(service, life)


def suspended(service: DeclaredService, life: Life) -> None:
    """Drained on request, while requests pile up, and resumed."""
    job = serving(service, life)
    service.request("suspend", lambda: _override(service) == "suspend")
    service.eventually("waited for the drain", lambda: job.state == "DRAINED")
    time.sleep(5)
    assert life.watch.standing() == []
    service.request("resume", lambda: _override(service) is None)
    serving(service, life)


def _override(service: DeclaredService) -> str | None:
    override = service.ledger.override
    return override.kind if override else None


def refreshed(service: DeclaredService, life: Life) -> None:
    """The running job changes over to another model."""
    job = serving(service, life)
    service.release("v2")
    service.await_outcome("v2", Outcome.STABLE)
    assert life.watch.standing() == [job]


STORIES = {
    "upgraded": Story(upgraded),
    "replaced": Story(replaced),
    "refused": Story(refused),
    "side_by_side": Story(side_by_side, {"upgrade": {"strategy": "parallel"}}),
    "rolled_back": Story(rolled_back),
    "lost": Story(lost),
    "cancelled": Story(cancelled),
    "suspended": Story(suspended),
    "refreshed": Story(refreshed, {"upgrade": {"model": "refresh"}}),
}
