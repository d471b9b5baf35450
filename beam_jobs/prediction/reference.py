"""Reference statistics of training data, against which drift is measured."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.prediction.manifest import (
    CategoricalReference,
    NumericReference,
    ReferenceStatistics,
)

BINS = 20


def reference_statistics(table: pa.Table, bins: int = BINS) -> ReferenceStatistics:
    """Distribution of every column: numbers by quantile bins, everything else by value."""
    numeric: dict[str, NumericReference] = {}
    categorical: dict[str, CategoricalReference] = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            numeric[name] = _numeric(column, bins)
        else:
            categorical[name] = _categorical(column)
    return ReferenceStatistics(rows=table.num_rows, numeric=numeric, categorical=categorical)


def _numeric(column: pa.ChunkedArray, bins: int) -> NumericReference:
    values = column.drop_null().to_numpy().astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise ValueError("a numeric column without a finite value has no distribution")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    if len(edges) == 1:
        edges = np.array([edges[0], np.nextafter(edges[0], np.inf)])
    counts, _ = np.histogram(values, edges)
    return NumericReference(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        nulls=len(column) - len(values),
        mean=float(values.mean()),
        std=float(values.std()),
    )


def _categorical(column: pa.ChunkedArray) -> CategoricalReference:
    counted = pc.value_counts(pc.cast(column.drop_null(), pa.string()))
    values = {item["values"]: item["counts"] for item in counted.to_pylist()}
    return CategoricalReference(values=dict(sorted(values.items())), nulls=column.null_count)
