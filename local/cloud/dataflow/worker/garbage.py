"""The garbage collector while a job starts.

What is imported and built then stays to the end: to look at it again and again takes a sixth of the
start.
"""

from __future__ import annotations

import gc


def put_off() -> None:
    """Collects nothing until the job is ready."""
    gc.disable()


def take_up() -> None:
    """Collects from now on, and leaves alone what is there already."""
    gc.freeze()
    gc.enable()
