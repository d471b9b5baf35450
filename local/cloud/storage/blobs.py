"""Bytes on disk, written once, with their checksums."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import google_crc32c

from local.cloud.storage.model import Blob

CHUNK = 4 * 1024 * 1024


class BlobWriter:
    """Appends to one file and keeps its checksums along the way.

    Bytes are handed to the operating system on every write and not forced to the platters: they
    survive a kill of the server, not a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._crc32c = google_crc32c.Checksum()
        self._md5 = hashlib.md5(usedforsecurity=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    @classmethod
    def resume(cls, path: Path) -> BlobWriter:
        """Continue a file that an earlier process began, or begin it."""
        writer = cls(path)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                writer._count(chunk)
        return writer

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._count(data)

    def finish(self) -> Blob:
        self._file.close()
        return Blob(
            path=self.path,
            size=self.size,
            crc32c=base64.b64encode(self._crc32c.digest()).decode(),
            md5=base64.b64encode(self._md5.digest()).decode(),
        )

    def abandon(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _count(self, data: bytes) -> None:
        self.size += len(data)
        self._crc32c.update(data)
        self._md5.update(data)


class BlobFolder:
    """A folder of blobs under random names; which of them count is the catalog's business."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def path(self, blob_id: str) -> Path:
        return self.root / blob_id[:2] / blob_id

    def new_path(self) -> Path:
        return self.path(uuid.uuid4().hex)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def link(self, source: Path) -> Path:
        """A second name for bytes that never change: a copy without copying."""
        path = self.new_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, path)
        return path

    def relative_paths(self) -> Iterator[str]:
        for folder in os.scandir(self.root):
            for entry in os.scandir(folder.path):
                yield f"{folder.name}/{entry.name}"
