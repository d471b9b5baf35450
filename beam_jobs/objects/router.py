"""Chooses the store by the URI's scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.objects.base import Objects

if TYPE_CHECKING:
    from google.cloud import storage


def open_objects(uri: str, client: storage.Client | None = None) -> Objects:
    """The store that holds a URI; a given client brings its own credentials and endpoint."""
    if uri.startswith("gs://"):
        from beam_jobs.objects.gcs import GcsObjects

        return GcsObjects(client)
    if "://" in uri:
        scheme = uri.partition("://")[0]
        raise ValueError(f"{uri}: no store for {scheme}://. Remedy: use gs:// or a local path")
    from beam_jobs.objects.files import FileObjects

    return FileObjects()
