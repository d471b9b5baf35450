"""Ending with the parent process, however that one ends."""

from __future__ import annotations

import os
import threading

EXIT_ORPHANED = 76


def die_with_parent() -> None:
    """Ends this process when the other end of its standard input closes.

    Standard input itself becomes empty, for whatever the pipeline starts.
    """
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_wait_for_end, args=(lifeline,), daemon=True).start()


def _wait_for_end(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(EXIT_ORPHANED)
