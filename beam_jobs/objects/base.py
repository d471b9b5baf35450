"""What every object store can do, with the guarantees that the runs stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class ObjectInfo:
    """One object as it is now."""

    uri: str
    generation: int
    """Changes with every overwrite; on a file system, the modification time in ns."""
    size: int
    updated: datetime


class ObjectChangedError(Exception):
    """An object is not (or no longer) the pinned generation."""

    def __init__(self, uri: str, generation: int) -> None:
        self.uri = uri
        self.generation = generation
        super().__init__(
            f"{uri} changed since the run was resolved: generation {generation} is gone. "
            "Remedy: leave input files alone once a night is complete, and run the night again"
        )

    def __reduce__(self) -> tuple[type[ObjectChangedError], tuple[str, int]]:
        return type(self), (self.uri, self.generation)


class PreconditionError(Exception):
    """Somebody else wrote the object first; nothing was written."""


class ObjectExistsError(PreconditionError):
    """The object that was to be created exists already; nothing was written."""


class Objects(Protocol):
    """Reads and writes objects. Writing is all or nothing, and conditional where it says so."""

    def stat(self, uri: str) -> ObjectInfo | None:
        """The object as it is now, None where there is none."""

    def list(self, prefix: str) -> list[ObjectInfo]:
        """All objects whose URI begins with the prefix, by URI; no folder markers."""

    def read(self, uri: str, generation: int | None = None) -> bytes:
        """The whole object. Raises FileNotFoundError, or ObjectChangedError when pinned."""

    def chunks(
        self, uri: str, start: int, end: int, generation: int | None = None
    ) -> Iterator[bytes]:
        """Bytes [start, end) in pieces of at most CHUNK_BYTES. Raises as `read`."""

    def create(self, uri: str, data: bytes) -> int:
        """Writes an object that must not exist; its generation. Raises ObjectExistsError."""

    def replace(self, uri: str, data: bytes, generation: int) -> int:
        """Overwrites that generation (0: must not exist). Raises PreconditionError."""

    def put(self, uri: str, data: bytes) -> int:
        """Writes the object, whatever was there; its generation."""

    def put_file(self, uri: str, path: Path) -> int:
        """Uploads a local file, whatever was there; its generation."""

    def delete(self, uri: str) -> None:
        """Removes the object; nothing happens where there is none."""
