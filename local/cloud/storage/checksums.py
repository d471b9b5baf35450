"""Checksums that a client announces, compared with what arrived."""

from __future__ import annotations

from typing import Any

from local.cloud.http import ApiError
from local.cloud.storage.model import Blob, StoredObject


def announced(resource: dict[str, Any], goog_hash: str | None = None) -> dict[str, str]:
    """`crc32c` and `md5` from the object's resource and the x-goog-hash header."""
    found = {"crc32c": resource.get("crc32c"), "md5": resource.get("md5Hash")}
    for pair in (goog_hash or "").split(","):
        name, _, value = pair.strip().partition("=")
        if name in found and value:
            found[name] = value
    return {name: value for name, value in found.items() if value}


def verify(blob: Blob, checksums: dict[str, str]) -> None:
    """Raises ApiError 400 for bytes other than the announced ones."""
    for name, actual in (("crc32c", blob.crc32c), ("md5", blob.md5)):
        expected = checksums.get(name)
        if expected is not None and expected != actual:
            label = name.upper() if name == "md5" else name
            raise ApiError(
                400,
                f'Provided {label} hash "{expected}" doesn\'t match'
                f' calculated {label} hash "{actual}".',
                "invalid",
            )


def goog_hash(stored: StoredObject) -> str:
    """The x-goog-hash header of an object."""
    return f"crc32c={stored.crc32c}" + (f",md5={stored.md5}" if stored.md5 else "")
