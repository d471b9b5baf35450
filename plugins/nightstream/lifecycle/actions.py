"""What can be done about a service's streaming jobs. Each is done once; the next round looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nightstream.lifecycle.revisions import Workers
from nightstream.streaming.naming import Slot


@dataclass(frozen=True)
class Nothing:
    """All is as declared."""


@dataclass(frozen=True)
class Wait:
    """Something is under way, or has to be understood first."""


@dataclass(frozen=True)
class Launch:
    slot: Slot
    revision: str


@dataclass(frozen=True)
class Update:
    """A job of the revision takes over in place."""

    slot: Slot
    revision: str
    job_id: str
    """The one it takes over from."""


@dataclass(frozen=True)
class Tune:
    job_id: str
    workers: Workers


@dataclass(frozen=True)
class Drain:
    job_id: str


@dataclass(frozen=True)
class Cancel:
    job_id: str


@dataclass(frozen=True)
class Open:
    """A subscription for the slot, that holds what the serving one's has not acknowledged."""

    slot: Slot


@dataclass(frozen=True)
class Close:
    """Deletes the slot's subscription, which nobody reads any more."""

    slot: Slot


@dataclass(frozen=True)
class Seek:
    """Brings the slot's subscription, which nobody reads, back to a time."""

    slot: Slot
    to: datetime


@dataclass(frozen=True)
class Ask:
    """A person has to decide."""


Action = Nothing | Wait | Launch | Update | Tune | Drain | Cancel | Open | Close | Seek | Ask
