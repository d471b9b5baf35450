"""Threads that compute give way to those that answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_NICENESS = 5
"""So an answer does not wait for a large query where processors are few. Lower, and on a busy
machine the threads that answer would wait for locks that these hold."""


def giving_way(work: Callable[[], Result]) -> Result:
    """Does it on a thread of lower priority, which the threads that it starts have from it."""
    with ThreadPoolExecutor(1, initializer=_give_way) as executor:
        return executor.submit(work).result()


def _give_way() -> None:
    """For good: a priority cannot be raised again."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
