"""Byte ranges of downloads, and content ranges of resumable uploads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.cloud.http import ApiError


@dataclass(frozen=True)
class Span:
    """`length` bytes from `start` on."""

    start: int
    length: int


def requested_span(header: str | None, size: int) -> Span | None:
    """The one range of a Range header; None for the whole object, also when it is not understood.

    Raises ApiError 416 when the range begins at or behind the end.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", (header or "").replace(" ", ""))
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start = max(size - int(last), 0)
        end = size
    else:
        start = int(first)
        end = min(int(last) + 1, size) if last else size
    if start >= size or start >= end:
        raise ApiError(
            416, "The requested range cannot be satisfied.", "requestedRangeNotSatisfiable"
        )
    return Span(start, end - start)


@dataclass(frozen=True)
class ContentRange:
    """What an upload request holds: where its bytes begin (None: it holds none, it asks), and the
    object's whole size where the client knows it."""

    first: int | None
    total: int | None

    @classmethod
    def of(cls, header: str) -> ContentRange:
        """Raises ApiError 400."""
        match = re.fullmatch(r"bytes (?:\*|(\d+)-(\d+))/(?:\*|(\d+))", header.strip())
        if match is None:
            raise ApiError(400, f"Failed to parse Content-Range header: '{header}'", "badRequest")
        first, _, total = match.groups()
        return cls(int(first) if first else None, int(total) if total else None)
