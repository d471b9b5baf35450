"""The requests in a batch of messages: where each begins and ends, found before any parser looks.

A JSON message is one request, line breaks within it or not; a CSV message one for every line that
is not blank. A message without any is accounted for as one request that is dead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from beam_jobs.reading.framing import RecordPayloads, Records
from beam_jobs.reading.line_ends import Offsets, content_ends, line_ends
from beam_jobs.rows import DeadRow
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.spec.sources import CsvFormat, JsonFormat

_BLANKS = b" \t\r\n"


@dataclass(frozen=True)
class FoundRequests:
    """All requests of some messages, in the messages' order."""

    message: Offsets
    """Per request, the index of its message."""
    position: Offsets
    """Per request, its place among those of its message."""
    payloads: RecordPayloads
    """Per request, as it was received."""
    records: Records
    """Those that a parser may look at."""
    index: Offsets
    """Per record, the index of its request."""
    dead: tuple[DeadRow, ...]
    """The others; a dead row's position is its request's index."""


def find_requests(payloads: Sequence[bytes], format_: CsvFormat | JsonFormat) -> FoundRequests:
    """The requests that the messages hold; joined, so that one parser reads them in one go."""
    data = b"\n".join(payloads)
    sizes = np.fromiter(map(len, payloads), np.int64, len(payloads))
    # Where each message lies in the joined bytes.
    ends = np.cumsum(sizes + 1) - 1
    begins = ends - sizes
    if isinstance(format_, CsvFormat):
        message, starts, stops = _lines(data, begins)
        first, last = starts, stops
    else:
        message, starts, stops = _objects(payloads, begins)
        first, last = begins[message], ends[message]
    empty = np.setdiff1d(np.arange(len(payloads)), message)
    # Stable: the lines of a message stay in their order.
    every = np.concatenate([message, empty])
    order = np.argsort(every, kind="stable")
    every = every[order]
    whole = RecordPayloads(
        data,
        np.concatenate([first, begins[empty]])[order],
        np.concatenate([last, ends[empty]])[order],
    )
    index = np.flatnonzero(order < len(message))
    overlong = stops - starts > format_.max_record_bytes
    fit = ~overlong
    return FoundRequests(
        message=every,
        position=np.arange(len(every)) - np.searchsorted(every, every),
        payloads=whole,
        records=Records(data, 0, starts[fit], stops[fit]),
        index=index[fit],
        dead=(
            *_empty(whole, np.flatnonzero(order >= len(message))),
            *_too_large(whole, index[overlong], format_.max_record_bytes),
        ),
    )


def _lines(data: bytes, begins: Offsets) -> tuple[Offsets, Offsets, Offsets]:
    """Message, start and end of every line that is not blank."""
    ends = line_ends(data, True)
    starts = np.concatenate([np.zeros(min(len(ends), 1), np.int64), ends[:-1]])
    stops = content_ends(data, starts, ends)
    filled = stops > starts
    starts, stops = starts[filled], stops[filled]
    return np.searchsorted(begins, starts, "right") - 1, starts, stops


def _objects(payloads: Sequence[bytes], begins: Offsets) -> tuple[Offsets, Offsets, Offsets]:
    """Message, start and end of what every message holds beside blanks."""
    count = len(payloads)
    stripped = [payload.lstrip(_BLANKS) for payload in payloads]
    ends = begins + np.fromiter(map(len, payloads), np.int64, count)
    starts = ends - np.fromiter(map(len, stripped), np.int64, count)
    sizes = np.fromiter((len(text.rstrip(_BLANKS)) for text in stripped), np.int64, count)
    filled = np.flatnonzero(sizes)
    return filled, starts[filled], (starts + sizes)[filled]


def _empty(payloads: RecordPayloads, requests: Offsets) -> Iterator[DeadRow]:
    for request, payload in zip(requests, payloads.take(requests), strict=True):
        yield DeadRow(
            Stage.READ,
            ErrorCode.EMPTY_MESSAGE,
            "the message holds no request",
            payload.as_py(),
            int(request),
        )


def _too_large(payloads: RecordPayloads, requests: Offsets, most: int) -> Iterator[DeadRow]:
    for request, payload in zip(requests, payloads.take(requests).to_pylist(), strict=True):
        yield DeadRow(
            Stage.READ,
            ErrorCode.RECORD_TOO_LARGE,
            f"the request is {len(payload)} bytes long, more than {most}",
            payload,
            int(request),
        )
