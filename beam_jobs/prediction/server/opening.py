"""The model, opened and ready for its first request."""

from __future__ import annotations

from beam_jobs.objects import open_objects
from beam_jobs.prediction.models import Model, load_model
from beam_jobs.prediction.origin import check_origin
from beam_jobs.prediction.typical import scores_a_typical_row
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
    scores_a_typical_row(model)  # what libraries import on their first call is there from now on
    return model
