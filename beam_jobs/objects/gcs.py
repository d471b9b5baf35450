"""Objects on Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from beam_jobs.objects.base import (
    CHUNK_BYTES,
    ObjectChangedError,
    ObjectExistsError,
    ObjectInfo,
    PreconditionError,
)

_CONTENT_TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8"}
"""By suffix; everything else is told to be bytes or text by the client."""


class GcsObjects:
    """Reads are pinned and writes are conditional by the service's own generations."""

    def __init__(self, client: storage.Client | None = None) -> None:
        self._given = client

    @cached_property
    def _client(self) -> storage.Client:
        return self._given or storage.Client()

    def __getstate__(self) -> dict[str, None]:
        """Pickled into workers without its client, which cannot travel."""
        return {"_given": None}

    def _blob(self, uri: str, generation: int | None = None) -> storage.Blob:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return self._client.bucket(bucket).blob(name, generation=generation)

    def stat(self, uri: str) -> ObjectInfo | None:
        blob = self._blob(uri)
        try:
            blob.reload()
        except NotFound:
            return None
        return _info(blob)

    def list(self, prefix: str) -> list[ObjectInfo]:
        bucket, _, name = prefix.removeprefix("gs://").partition("/")
        blobs = self._client.list_blobs(bucket, prefix=name)
        return [_info(blob) for blob in blobs if not blob.name.endswith("/")]

    def read(self, uri: str, generation: int | None = None) -> bytes:
        try:
            data: bytes = self._blob(uri, generation).download_as_bytes(raw_download=True)
        except NotFound as error:
            raise _gone(uri, generation) from error
        return data

    def chunks(
        self, uri: str, start: int, end: int, generation: int | None = None
    ) -> Iterator[bytes]:
        blob = self._blob(uri, generation)
        for position in range(start, end, CHUNK_BYTES):
            last = min(position + CHUNK_BYTES, end) - 1
            try:
                yield blob.download_as_bytes(start=position, end=last, raw_download=True)
            except NotFound as error:
                raise _gone(uri, generation) from error

    def create(self, uri: str, data: bytes) -> int:
        try:
            return self._upload(uri, data, 0)
        except PreconditionFailed as error:
            raise ObjectExistsError(f"{uri} exists already") from error

    def replace(self, uri: str, data: bytes, generation: int) -> int:
        try:
            return self._upload(uri, data, generation)
        except PreconditionFailed as error:
            raise PreconditionError(f"{uri} is no longer generation {generation}") from error

    def put(self, uri: str, data: bytes) -> int:
        return self._upload(uri, data, None)

    def put_file(self, uri: str, path: Path) -> int:
        blob = self._blob(uri)
        blob.upload_from_filename(str(path), checksum="crc32c")
        return int(blob.generation)

    def delete(self, uri: str) -> None:
        try:
            self._blob(uri).delete()
        except NotFound:
            return

    def _upload(self, uri: str, data: bytes, if_generation_match: int | None) -> int:
        blob = self._blob(uri)
        blob.upload_from_string(
            data,
            content_type=_CONTENT_TYPES.get(PurePosixPath(uri).suffix),
            if_generation_match=if_generation_match,
            checksum="crc32c",
        )
        return int(blob.generation)


def _info(blob: storage.Blob) -> ObjectInfo:
    return ObjectInfo(
        uri=f"gs://{blob.bucket.name}/{blob.name}",
        generation=int(blob.generation),
        size=int(blob.size),
        updated=blob.updated,
    )


def _gone(uri: str, generation: int | None) -> Exception:
    if generation is None:
        return FileNotFoundError(f"{uri} does not exist")
    return ObjectChangedError(uri, generation)
