"""Good rows from bad ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from beam_jobs.contract.contract import Contract
from beam_jobs.contract.rules import Fault, check
from beam_jobs.rows import DeadRow, Indices, Payloads, RowBlock, ValidRows, dead_batch
from beam_jobs.runs.dead_letter import Stage


def validate(contract: Contract, block: RowBlock) -> tuple[ValidRows, pa.RecordBatch]:
    """The rows that keep the contract, and the others in DEAD_SCHEMA.

    A row with several faults is one dead letter: the first fault in the order of the fields.
    """
    columns: list[pa.Array] = []
    faults: list[Fault] = []
    for rules, column in zip(contract.rules, block.batch.columns, strict=True):
        typed, found = check(rules, column, contract.tokens)
        columns.append(typed)
        faults += found
    batch = pa.RecordBatch.from_arrays(columns, schema=contract.schema)
    if not faults:
        return ValidRows(batch, block.positions, block.payloads), dead_batch()
    bad = np.logical_or.reduce([fault.rows for fault in faults])
    good = np.flatnonzero(~bad)
    kept = pa.array(good)
    valid = ValidRows(
        batch.take(kept), block.positions.take(kept), SelectedPayloads(block.payloads, good)
    )
    return valid, dead_batch(_dead_rows(block, np.flatnonzero(bad), faults))


def _dead_rows(block: RowBlock, bad: np.ndarray, faults: list[Fault]) -> list[DeadRow]:
    payloads = block.payloads.take(bad)
    rows = []
    for row, payload in zip(bad, payloads, strict=True):
        own = [fault for fault in faults if fault.rows[row]]
        more = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
        rows.append(
            DeadRow(
                stage=Stage.VALIDATE,
                code=own[0].code,
                field=own[0].field,
                message=own[0].message(int(row)) + more,
                payload=payload.as_py(),
                position=block.positions[int(row)].as_py(),
            )
        )
    return rows


@dataclass(frozen=True)
class SelectedPayloads:
    """Payloads of some of a block's rows."""

    payloads: Payloads
    rows: np.ndarray

    def take(self, indices: Indices) -> pa.Array:
        return self.payloads.take(self.rows[np.asarray(indices, np.int64)])
