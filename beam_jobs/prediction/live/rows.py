"""The rows of one request for predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from beam_jobs.messages.requests import Requests
from beam_jobs.prediction.live.suspects import RequestKey


@dataclass(frozen=True)
class LiveRows:
    """Rows on their way into a call of the model, which know whose they are."""

    features: pa.RecordBatch
    positions: pa.Array
    """int64: each row's index into the requests."""
    requests: Requests

    def __len__(self) -> int:
        return int(self.features.num_rows)

    def take(self, indices: np.ndarray) -> LiveRows:
        chosen = pa.array(indices)
        return LiveRows(self.features.take(chosen), self.positions.take(chosen), self.requests)

    def request_keys(self) -> list[RequestKey]:
        """The request of each row."""
        identity = self.requests.identity.take(self.positions)
        message_ids = identity.column("message_id").to_pylist()
        lines = identity.column("position").to_pylist()
        return [RequestKey(*key) for key in zip(message_ids, lines, strict=True)]


Call = Sequence[LiveRows]
"""The rows of one call of the model, as they were merged; not empty."""
