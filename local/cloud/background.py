"""Threads that compute give way to those that answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_NICENESS = 5
"""So an answer does not wait for a query where processors are few; lower, and on a busy machine the
threads that answer would wait for locks that these hold."""


def give_way() -> None:
    """Lowers the priority of the calling thread, and of the threads that it starts from now on."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def giving_way(work: Callable[[], Result]) -> Result:
    """Does it on a thread of lower priority: a priority cannot be raised again."""
    with ThreadPoolExecutor(1, initializer=give_way) as executor:
        return executor.submit(work).result()
