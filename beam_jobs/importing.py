"""Imports at the start of a program."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_good() -> Iterator[None]:
    """What is imported meanwhile stays to the end: the garbage collector need not look at it again
    and again, which takes a sixth of the time that Beam's import takes."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
