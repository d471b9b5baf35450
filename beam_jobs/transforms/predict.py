"""From what the model said to rows with predictions and rows without."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from beam_jobs.messages.requests import Requests
from beam_jobs.prediction.live.served import ScoredBy
from beam_jobs.prediction.scoring import FailedRows, Predicted
from beam_jobs.rows import DeadRow, ValidRows, dead_batch
from beam_jobs.runs.dead_letter import Stage
from beam_jobs.transforms.elements import ScoredBatch, ScoredRequests, Source, ValidBatch


def settle(batch: ValidBatch[Source], predicted: Predicted) -> ScoredBatch[Source]:
    """The batch as it is written: every row with its prediction, or dead."""
    rows, positions, dead = batch.rows.batch, batch.rows.positions, batch.dead
    if predicted.indices is not None:
        kept = pa.array(predicted.indices)
        rows, positions = rows.take(kept), positions.take(kept)
        dead = pa.concat_batches([dead, _dead(batch.rows, predicted.failed)])
    return ScoredBatch(
        source=batch.source,
        rows=rows,
        outputs=predicted.outputs,
        positions=positions,
        dead=dead,
        rows_in=batch.rows_in,
        scored_at=datetime.now(UTC),
    )


def settle_requests(
    batch: ValidBatch[Requests], predicted: Predicted, by: ScoredBy
) -> ScoredRequests:
    """A micro-batch as it is written, with the model that scored it."""
    return ScoredRequests.of(settle(batch, predicted), by)


def _dead(rows: ValidRows, failed: FailedRows) -> pa.RecordBatch:
    payloads = rows.payloads.take(failed.indices).to_pylist()
    positions = rows.positions.take(pa.array(failed.indices)).to_pylist()
    return dead_batch(
        DeadRow(Stage.PREDICT, *failure)
        for failure in zip(failed.codes, failed.messages, payloads, positions, strict=True)
    )
