"""Columns written as JSON objects."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.server.encoding import json_objects

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.tuples(
        FINITE | st.none(),
        st.integers(-(2**63), 2**63 - 1) | st.none(),
        st.text() | st.none(),
        st.booleans() | st.none(),
        st.text() | st.integers(-(2**63), 2**63 - 1) | FINITE,
    ),
    max_size=20,
)
TYPES = [pa.float64(), pa.int64(), pa.string(), pa.bool_()]


@given(ROWS, st.lists(st.text(max_size=5), min_size=5, max_size=5, unique=True))
def test_each_row_is_an_object_with_its_values_by_name(rows: list[Any], names: list[str]) -> None:
    values = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    arrays = [pa.array(column, type_) for column, type_ in zip(values, TYPES, strict=False)]
    columns = dict(zip(names, [*arrays, values[4]], strict=True))
    expected = [dict(zip(names, row, strict=True)) for row in rows]
    assert orjson.loads(json_objects(columns, len(rows))) == expected


def test_a_single_column_without_nulls_is_written_alike() -> None:
    assert json_objects({"100%": pa.array([1.0, 2.5])}, 2) == b'[{"100%":1.0},{"100%":2.5}]'
