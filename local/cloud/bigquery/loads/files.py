"""The files behind a load job: objects by URI, wildcards included, or one upload."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.cloud.bigquery.errors import not_found
from local.cloud.http import ApiError

_URI = re.compile(r"gs://([^/]+)/(.+)")


class StoredObject(Protocol):
    """What loading needs to know of an object: its name and its bytes on disk."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...


class Objects(Protocol):
    """Where the objects of Cloud Storage are found."""

    def get(self, bucket: str, name: str, generation: int | None = None) -> StoredObject | None: ...

    def list(self, bucket: str, prefix: str = "") -> Sequence[StoredObject]: ...


@dataclass(frozen=True)
class SourceFile:
    """One file to load; `name` is what error messages call it."""

    name: str
    path: Path
    size: int


def find(objects: Objects, uris: Sequence[str]) -> list[SourceFile]:
    """The objects that the URIs name, each once. Raises ApiError 404 for a URI that names none."""
    found: dict[str, SourceFile] = {}
    for uri in uris:
        match = _URI.fullmatch(uri)
        if not match:
            raise ApiError(400, f"Source URI must be a Google Cloud Storage location: {uri}")
        bucket, pattern = match.groups()
        matching = _matching(objects, bucket, pattern)
        if not matching:
            raise not_found("URI", uri)
        for stored in matching:
            name = f"gs://{bucket}/{stored.name}"
            found[name] = SourceFile(name, stored.path, stored.size)
    return list(found.values())


def _matching(objects: Objects, bucket: str, pattern: str) -> list[StoredObject]:
    if "*" not in pattern:
        one = objects.get(bucket, pattern)
        return [one] if one is not None else []
    if pattern.count("*") > 1:
        raise ApiError(400, f"Source URI must have at most one wildcard: gs://{bucket}/{pattern}")
    prefix = pattern.split("*")[0]
    escaped = pattern.replace("[", "[[]").replace("?", "[?]")
    stored = objects.list(bucket, prefix)
    return [one for one in stored if fnmatch.fnmatchcase(one.name, escaped)]
