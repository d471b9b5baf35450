"""Gives calls that hang up, and the worker process with them: the runner starts another one.

Nothing that the process was working on has been acknowledged, so all of it comes again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from beam_jobs.prediction.live.rows import Call
from beam_jobs.prediction.live.suspects import HungCall
from beam_jobs.prediction.live.suspects_folder import SuspectsFolder

EXIT_CODE = 70
"""EX_SOFTWARE."""
RECORD_SECONDS = 20.0
LOG_SECONDS = 5.0

_LOG = logging.getLogger(__name__)


class WatchedCall(NamedTuple):
    """A call of the model that may hang."""

    rows: Call
    folder: SuspectsFolder
    """Where its requests are recorded then: with the suspects of the model that was called."""


def give_up(calls: Sequence[WatchedCall], seconds: float) -> None:
    """Records the suspects, and ends this process whether that succeeds or not.

    seconds: how long each of the calls was waited for.
    """
    try:
        hung = [(_hung(call.rows, seconds), call.folder) for call in calls]
        for call, _ in hung:
            _LOG.error("%s", _what_happened(call))
        try_for(RECORD_SECONDS, lambda: _record(hung), "recording the suspects")
    finally:
        try_for(LOG_SECONDS, logging.shutdown, "sending the log")
        os._exit(EXIT_CODE)


def try_for(seconds: float, action: Callable[[], object], what: str) -> None:
    """Runs an action that may fail or hang; either is logged, and neither stops the caller."""

    def attempt() -> None:
        try:
            action()
        except Exception:
            _LOG.exception("%s failed", what)

    thread = threading.Thread(target=attempt, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _LOG.error("%s takes longer than %g s and is given up", what, seconds)


def _hung(call: Call, seconds: float) -> HungCall:
    requests = tuple(key for rows in call for key in rows.request_keys())
    return HungCall(hung_at=datetime.now(UTC), seconds=seconds, requests=requests)


def _record(calls: Sequence[tuple[HungCall, SuspectsFolder]]) -> None:
    for call, folder in calls:
        _LOG.error("the requests of the call are named in %s", folder.record(call))


def _what_happened(call: HungCall) -> str:
    first = call.requests[0]
    return (
        f"the model did not answer a call of {len(call.requests)} request(s) within "
        f"{call.seconds:g} s, the first of them message {first.message_id} line {first.position}. "
        "This worker process ends, and the requests come again, each in a call of its own"
    )
