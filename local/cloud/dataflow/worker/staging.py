"""What the launcher staged in GCS: fetching it and keeping it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.cloud import storage


def fetch_pipeline(options: dict[str, Any]) -> bytes:
    """The serialised pipeline."""
    return _blob(options["pipelineUrl"].removeprefix("gs://")).download_as_bytes()


def fetch_packages(environment: dict[str, Any], folder: Path) -> None:
    """Downloads every staged artifact under its own name."""
    folder.mkdir(exist_ok=True)
    for pool in environment.get("workerPools", []):
        for package in pool.get("packages", []):
            location = package["location"].removeprefix("storage.googleapis.com/")
            _blob(location).download_to_filename(folder / Path(package["name"]).name)


def keep(pipeline: bytes, path: Path) -> None:
    """Stores the pipeline, in one step: where it is, everything else is in place as well."""
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(pipeline)
        temporary.replace(path)


def _blob(location: str) -> storage.Blob:
    bucket, _, name = location.partition("/")
    return storage.Client().bucket(bucket).blob(name)
