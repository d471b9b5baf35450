"""Ending with the parent process, however that one ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

EXIT_ORPHANED = 76


Hear = Callable[[str], None]


def die_with_parent(hear: Hear | None = None) -> None:
    """Ends this process when the other end of its standard input closes.

    Lines that come from there are given to `hear`, in a thread. Standard input itself becomes
    empty, for whatever the pipeline starts.
    """
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_wait_for_end, args=(lifeline, hear), daemon=True).start()


def _wait_for_end(lifeline: int, hear: Hear | None) -> None:
    with os.fdopen(lifeline, "rb", buffering=0) as lines:
        for line in lines:
            if hear:
                hear(line.decode().strip())
    os._exit(EXIT_ORPHANED)
