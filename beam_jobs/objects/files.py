"""Objects on the local file system, for runs without a bucket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from beam_jobs.objects.base import (
    CHUNK_BYTES,
    ObjectChangedError,
    ObjectExistsError,
    ObjectInfo,
    PreconditionError,
)


class FileObjects:
    """Plain files. `create` is atomic among processes; `replace` only within its own check."""

    def stat(self, uri: str) -> ObjectInfo | None:
        path = Path(uri)
        return _info(path) if path.is_file() else None

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = Path(prefix if prefix.endswith("/") else os.path.dirname(prefix))  # noqa: PTH120
        files = (path for path in folder.rglob("*") if path.is_file())
        return sorted(
            (_info(path) for path in files if str(path).startswith(prefix)), key=lambda i: i.uri
        )

    def read(self, uri: str, generation: int | None = None) -> bytes:
        info = self._pinned(uri, generation)
        return Path(info.uri).read_bytes()

    def chunks(
        self, uri: str, start: int, end: int, generation: int | None = None
    ) -> Iterator[bytes]:
        with Path(self._pinned(uri, generation).uri).open("rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
                start += len(chunk)
                yield chunk
        self._pinned(uri, generation)

    def create(self, uri: str, data: bytes) -> int:
        temporary = self._written(uri, data)
        try:
            os.link(temporary, uri)
        except FileExistsError as error:
            raise ObjectExistsError(f"{uri} exists already") from error
        finally:
            temporary.unlink()
        return Path(uri).stat().st_mtime_ns

    def replace(self, uri: str, data: bytes, generation: int) -> int:
        if generation == 0:
            return self.create(uri, data)
        info = self.stat(uri)
        if info is None or info.generation != generation:
            raise PreconditionError(f"{uri} is no longer generation {generation}")
        return self.put(uri, data)

    def put(self, uri: str, data: bytes) -> int:
        return self._written(uri, data).replace(uri).stat().st_mtime_ns

    def put_file(self, uri: str, path: Path) -> int:
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, uri)
        return Path(uri).stat().st_mtime_ns

    def delete(self, uri: str) -> None:
        Path(uri).unlink(missing_ok=True)

    def _pinned(self, uri: str, generation: int | None) -> ObjectInfo:
        info = self.stat(uri)
        if generation is not None and (info is None or info.generation != generation):
            raise ObjectChangedError(uri, generation)
        if info is None:
            raise FileNotFoundError(f"{uri} does not exist")
        return info

    def _written(self, uri: str, data: bytes) -> Path:
        """A temporary file beside the target, so that the rename stays within one file system."""
        folder = Path(uri).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return Path(name)


def _info(path: Path) -> ObjectInfo:
    stat = path.stat()
    return ObjectInfo(
        uri=str(path),
        generation=stat.st_mtime_ns,
        size=stat.st_size,
        updated=datetime.fromtimestamp(stat.st_mtime, UTC),
    )
