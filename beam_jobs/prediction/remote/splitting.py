"""Which instances go together in one request."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from beam_jobs.prediction.remote.instances import ENVELOPE_BYTES


def request_ranges(
    sizes: np.ndarray, most_instances: int, most_bytes: int
) -> Iterator[tuple[int, int]]:
    """Ranges [start, end) that tile the instances, each as long as both bounds allow.

    sizes: bytes (int64) of each instance with its comma. An instance that no request can hold is a
    range of its own.
    """
    ends = np.concatenate([[0], np.cumsum(sizes)])
    room = most_bytes - ENVELOPE_BYTES + 1  # The last comma is not sent.
    start = 0
    while start < len(sizes):
        fitting = int(np.searchsorted(ends, ends[start] + room, "right")) - 1
        end = min(max(fitting, start + 1), start + most_instances)
        yield start, end
        start = end
