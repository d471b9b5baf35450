"""Objects by URI: `gs://` on Google Cloud Storage, anything else on the local file system."""

from beam_jobs.objects.base import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectInfo,
    Objects,
    PreconditionError,
)
from beam_jobs.objects.router import open_objects

__all__ = [
    "ObjectChangedError",
    "ObjectExistsError",
    "ObjectInfo",
    "Objects",
    "PreconditionError",
    "open_objects",
]
