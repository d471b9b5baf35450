"""An object as a file, of which only what is asked for is read."""

from __future__ import annotations

import io

from beam_jobs.objects.base import Objects


class SeekableObject(io.RawIOBase):
    """A read-only file of known size; each read is one ranged read.

    generation: the one that every read is pinned to; None reads whatever is there.
    """

    def __init__(
        self, objects: Objects, uri: str, size: int, generation: int | None = None
    ) -> None:
        self._objects = objects
        self._uri = uri
        self._size = size
        self._generation = generation
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = origin[whence] + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        start, end = self._position, self._size
        if size is not None and size >= 0:
            end = min(start + size, end)
        chunks = self._objects.chunks(self._uri, start, end, self._generation)
        data = b"".join(chunks) if start < end else b""
        self._position += len(data)
        return data
