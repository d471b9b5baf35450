"""The model, opened and ready for its first request."""

from __future__ import annotations

import contextlib

import pyarrow as pa

from beam_jobs.contract.types import arrow_type
from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.models import Model, load_model
from beam_jobs.prediction.origin import check_origin
from beam_jobs.prediction.versions import open_version


def open_served(folder: str, models_root: str | None = None, sha256: str | None = None) -> Model:
    """The version in a folder, which must lie below `models_root` and be the pinned artifact.

    Raises ModelError before anything is unpickled.
    """
    if models_root is not None:
        check_origin(folder, models_root)
    objects = open_objects(folder)
    manifest = open_version(folder, objects)
    model = load_model(folder, manifest, sha256 or manifest.sha256, objects)
    _warm_up(model)
    return model


def _warm_up(model: Model) -> None:
    """One prediction of a typical row: what libraries import on their first call is there then."""
    with contextlib.suppress(Exception):  # whether the model can score its own mean is its affair
        model.predict(_typical_row(model.manifest))


def _typical_row(manifest: ModelManifest) -> pa.RecordBatch:
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
