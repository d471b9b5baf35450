"""A row as the model knows them from its training."""

from __future__ import annotations

import pyarrow as pa

from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.models import Model


def scores_a_typical_row(model: Model) -> bool:
    """Whether the model works at all: what else it fails on, the instances are to blame for."""
    try:
        model.predict(typical_row(model.manifest))
    except Exception:
        return False
    return True


def typical_row(manifest: ModelManifest) -> pa.RecordBatch:
    """The mean of each number and the most frequent of other values; null where none is known."""
    means = {name: column.mean for name, column in manifest.reference.numeric.items()}
    frequent = {
        name: max(column.values, key=column.values.__getitem__)
        for name, column in manifest.reference.categorical.items()
        if column.values
    }
    typical = {**means, **frequent}
    columns = [
        pa.array([typical.get(column.name)]).cast(arrow_type(column.type), safe=False)
        for column in manifest.inputs
    ]
    return pa.RecordBatch.from_arrays(columns, names=[column.name for column in manifest.inputs])
