"""When a streaming job's process says that it may begin, and may take another job's place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60.0


@contextmanager
def ready_after(ready: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Makes the file `ready` when the block is done.

    A block that takes longer than `patience` seconds goes on behind it: the service does not wait
    for the pipeline's code either before it says that the job runs.
    """
    timer = threading.Timer(patience, ready.touch)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    ready.touch()
