"""Objects by URI: `gs://` on Google Cloud Storage, anything else on the local file system."""

from beam_jobs.objects.base import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectInfo,
    Objects,
    PreconditionError,
)
from beam_jobs.objects.router import open_objects
from beam_jobs.objects.seekable import SeekableObject

__all__ = [
    "ObjectChangedError",
    "ObjectExistsError",
    "ObjectInfo",
    "Objects",
    "PreconditionError",
    "SeekableObject",
    "open_objects",
]
