"""Takes the action of a round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from nightstream.lifecycle.actions import (
    Action,
    Ask,
    Cancel,
    Close,
    Drain,
    Launch,
    Nothing,
    Open,
    Refresh,
    Seek,
    Tune,
    Update,
    Wait,
)
from nightstream.streaming.actions.cloud import Cloud, Overtaken, Refused
from nightstream.streaming.actions.launching import launch
from nightstream.streaming.actions.refreshing import refresh
from nightstream.streaming.actions.slots import close_slot, open_slot, seek_slot
from nightstream.streaming.actions.steering import cancel, drain, tune

if TYPE_CHECKING:
    from nightstream.lifecycle.ledger import Ledger


@dataclass(frozen=True)
class Refusal:
    """An action was certainly not taken."""

    reason: str
    overtaken: bool
    """Whether something came between what was seen and the action."""


def act(action: Action, ledger: Ledger, cloud: Cloud) -> Refusal | None:
    """Takes it, once the ledger says so.

    ledger: the decision's `before`. Returns at once: the next round sees what came of it. What
    fails in passing raises; then nothing is known, and the next round looks.
    """
    try:
        _take(action, ledger, cloud)
    except Refused as refused:
        return Refusal(str(refused), isinstance(refused, Overtaken))
    return None


def _take(action: Action, ledger: Ledger, cloud: Cloud) -> None:
    match action:
        case Launch() | Update():
            launch(action, ledger, cloud)
        case Refresh():
            refresh(action, ledger, cloud)
        case Tune():
            tune(action, cloud)
        case Drain():
            drain(action, cloud)
        case Cancel():
            cancel(action, cloud)
        case Open():
            open_slot(action, ledger, cloud)
        case Close():
            close_slot(action, ledger, cloud)
        case Seek():
            seek_slot(action, ledger, cloud)
        case Nothing() | Wait() | Ask():
            return
        case _:
            assert_never(action)
