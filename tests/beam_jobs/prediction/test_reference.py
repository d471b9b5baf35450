"""Reference statistics count every row of the training data once."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.reference import reference_statistics


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1))
def test_numbers_fall_into_ascending_bins(values: list[float | None]) -> None:
    column = pa.table({"x": pa.array([*values, 0.5], pa.float64())})
    numeric = reference_statistics(column).numeric["x"]
    assert list(numeric.edges) == sorted(set(numeric.edges))
    assert len(numeric.counts) == len(numeric.edges) - 1
    assert sum(numeric.counts) + numeric.nulls == len(values) + 1


def test_categories_are_counted_by_value() -> None:
    column = pa.table({"sex": ["True", "False", None, "True"]})
    categorical = reference_statistics(column).categorical["sex"]
    assert categorical.values == {"False": 1, "True": 2}
    assert categorical.nulls == 1


def test_values_that_are_not_finite_count_as_nulls() -> None:
    column = pa.table({"x": [1.0, math.nan, math.inf, 2.0]})
    assert reference_statistics(column).numeric["x"].nulls == 2


def test_a_column_without_a_number_has_no_distribution() -> None:
    with pytest.raises(ValueError, match="without a finite value"):
        reference_statistics(pa.table({"x": pa.array([None], pa.float64())}))
