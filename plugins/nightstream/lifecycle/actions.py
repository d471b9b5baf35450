"""What can be done about a service's streaming jobs. Each is done once; the next round looks.

`kind` tells them apart where they cross a border as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nightstream.lifecycle.revisions import Workers
from nightstream.streaming.naming import Slot


@dataclass(frozen=True)
class Nothing:
    """All is as declared."""

    kind: Literal["nothing"] = "nothing"


@dataclass(frozen=True)
class Wait:
    """Something is under way, or has to be understood first."""

    kind: Literal["wait"] = "wait"


@dataclass(frozen=True)
class Launch:
    slot: Slot
    revision: str
    kind: Literal["launch"] = "launch"


@dataclass(frozen=True)
class Update:
    """A job of the revision takes over in place."""

    slot: Slot
    revision: str
    job_id: str
    """The one it takes over from."""
    kind: Literal["update"] = "update"


@dataclass(frozen=True)
class Refresh:
    """The running job changes over to the revision's model."""

    job_id: str
    launched_as: str
    """The revision that the job was launched with."""
    revision: str
    kind: Literal["refresh"] = "refresh"


@dataclass(frozen=True)
class Tune:
    job_id: str
    workers: Workers
    kind: Literal["tune"] = "tune"


@dataclass(frozen=True)
class Drain:
    job_id: str
    kind: Literal["drain"] = "drain"


@dataclass(frozen=True)
class Cancel:
    job_id: str
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True)
class Open:
    """A subscription for the slot, that holds what the serving one's has not acknowledged."""

    slot: Slot
    kind: Literal["open"] = "open"


@dataclass(frozen=True)
class Close:
    """Deletes the slot's subscription, which nobody reads any more."""

    slot: Slot
    kind: Literal["close"] = "close"


@dataclass(frozen=True)
class Seek:
    """Brings the slot's subscription, which nobody reads, back to a time."""

    slot: Slot
    to: datetime
    kind: Literal["seek"] = "seek"


@dataclass(frozen=True)
class Ask:
    """A person has to decide."""

    kind: Literal["ask"] = "ask"


Action = (
    Nothing | Wait | Launch | Update | Refresh | Tune | Drain | Cancel | Open | Close | Seek | Ask
)
