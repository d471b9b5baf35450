"""What the store keeps: buckets, objects, and the bytes of one generation."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Blob:
    """Bytes on disk with their checksums, in base64 as the JSON API writes them."""

    path: Path
    size: int
    crc32c: str
    md5: str | None


@dataclass(frozen=True)
class StoredObject:
    """The live generation of one object.

    `path` holds the bytes exactly as uploaded. It stays readable for some minutes after the object
    is overwritten or deleted, so whoever has looked an object up can finish reading it.
    `fields` are the other attributes a client may set (contentEncoding, cacheControl, …).
    """

    bucket: str
    name: str
    generation: int
    metageneration: int
    size: int
    path: Path
    crc32c: str
    md5: str | None
    content_type: str | None
    created: datetime
    updated: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"

    @property
    def etag(self) -> str:
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()


@dataclass(frozen=True)
class Bucket:
    """One bucket; `fields` are the attributes its creator set (location, labels, …)."""

    name: str
    metageneration: int
    created: datetime
    updated: datetime
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return base64.b64encode(str(self.metageneration).encode()).decode()


@dataclass(frozen=True)
class Attributes:
    """What a client may set on an object."""

    content_type: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
