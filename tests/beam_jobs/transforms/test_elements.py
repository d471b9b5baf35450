from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.rows import GivenPayloads, ValidRows, dead_batch
from beam_jobs.runs.plan import InputObject
from beam_jobs.transforms.elements import SourceRange, ValidBatch, slices

SOURCE = SourceRange(InputObject(uri="a.csv", generation=1, size=9), 0, 9)


def valid_batch(rows: int) -> ValidBatch:
    numbers = pa.array(range(rows), pa.int64())
    payloads = pa.array([b"%d" % number for number in range(rows)], pa.binary())
    return ValidBatch(
        SOURCE,
        ValidRows(pa.RecordBatch.from_arrays([numbers], ["n"]), numbers, GivenPayloads(payloads)),
        dead_batch(),
        rows_in=rows + 2,
    )


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 20))
def test_slices_hold_the_same_rows_with_their_positions_and_payloads(rows: int, most: int) -> None:
    parts = list(slices(valid_batch(rows), most))

    found = [
        (part.rows.batch["n"][i].as_py(), part.rows.positions[i].as_py(), payload.as_py())
        for part in parts
        for i, payload in enumerate(part.rows.payloads.take(range(part.features.num_rows)))
    ]
    assert found == [(number, number, b"%d" % number) for number in range(rows)]
    assert sum(part.rows_in for part in parts) == rows + 2


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 20))
def test_slices_are_few_and_even(rows: int, most: int) -> None:
    sizes = [part.features.num_rows for part in slices(valid_batch(rows), most)]
    assert max(sizes) <= most
    assert len(sizes) == max(1, -(-rows // most))
