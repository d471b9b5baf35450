"""Line ends, found on the bytes with numpy.

A line ends at `\\n`, at `\\r\\n` or at a `\\r` alone, as pyarrow.csv has it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]

LF, CR = 10, 13


def line_ends(data: bytes, final: bool) -> Offsets:
    """Ascending end offsets of the lines, line end included.

    `final`: nothing follows the buffer, so a last line needs no line end; otherwise a `\\r` as the
    last byte is left open, since a `\\n` may follow it.
    """
    signs = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(signs == LF) + 1
    if b"\r" in data:
        after = np.flatnonzero(signs == CR) + 1
        inside = after[after < len(data)]
        ends = np.sort(np.concatenate([ends, inside[signs[inside] != LF]]))
    if final and data and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, len(data))
    return ends


def content_ends(data: bytes, starts: Offsets, ends: Offsets) -> Offsets:
    """The ends of those lines without their line ends."""
    signs = np.frombuffer(data, np.uint8)
    last = signs[ends - 1]
    feed = last == LF
    if b"\r" not in data:
        return ends - feed
    content = ends - (feed | (last == CR))
    before = signs[np.maximum(content - 1, 0)]
    return content - (feed & (content > starts) & (before == CR))
