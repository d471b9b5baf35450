"""multipart/related uploads, read as a stream: one JSON part, then the media."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from local.cloud.http import ApiError

_HEAD_LIMIT = 1024 * 1024


@dataclass
class RelatedUpload:
    """The JSON part, the media's content type, and the media itself, to be read once."""

    resource: dict[str, Any]
    media_type: str | None
    media: AsyncIterator[bytes]


async def read_related(content_type: str, stream: AsyncIterator[bytes]) -> RelatedUpload:
    """Split a multipart/related body without holding its media in memory. Raises ApiError 400."""
    boundary = boundary_of(content_type)
    delimiter = b"--" + boundary
    parts = _Parts(stream)
    await parts.until(delimiter)
    await parts.headers()
    raw = await parts.until(delimiter)
    try:
        resource = json.loads(raw or b"{}")
    except ValueError as error:
        raise _malformed(f"its first part is not JSON: {error}") from error
    if not isinstance(resource, dict):
        raise _malformed("its first part is not a JSON object")
    headers = await parts.headers()
    return RelatedUpload(resource, headers.get("Content-Type"), parts.rest(delimiter + b"--"))


def boundary_of(content_type: str) -> bytes:
    """The boundary parameter of a multipart content type. Raises ApiError 400."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str):
        raise _malformed(f"Content-Type has no boundary: {content_type}")
    if boundary.startswith("'") and boundary.endswith("'"):
        # gcloud quotes it the way Python does.
        boundary = boundary[1:-1]
    return boundary.encode()


class _Parts:
    """A cursor over the body; the head of the body is small, its last part may be endless."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._buffer = b""

    async def until(self, marker: bytes) -> bytes:
        """What comes before the marker; the cursor moves behind it."""
        while marker not in self._buffer:
            if len(self._buffer) > _HEAD_LIMIT:
                raise _malformed("its JSON part is longer than 1 MiB")
            self._buffer += await self._more()
        found, _, self._buffer = self._buffer.partition(marker)
        return found

    async def headers(self) -> Message:
        """The headers of the part that begins here; bare line feeds are accepted too."""
        await self.until(b"\n")
        headers = Message()
        while line := (await self.until(b"\n")).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip()] = value.strip()
        return headers

    async def rest(self, end: bytes) -> AsyncIterator[bytes]:
        """Everything up to the closing delimiter, which is the last thing in the body."""
        # Held back from the stream: the delimiter with a line break on either side of it.
        tail = len(end) + 4
        held = self._buffer
        async for chunk in self._stream:
            held += chunk
            if len(held) > tail:
                yield held[:-tail]
                held = held[-tail:]
        media, marker, _ = held.rpartition(end)
        if not marker:
            raise _malformed("it ends without its closing boundary")
        yield media.removesuffix(b"\n").removesuffix(b"\r")

    async def _more(self) -> bytes:
        async for chunk in self._stream:
            return chunk
        raise _malformed("it ends early")


def _malformed(what: str) -> ApiError:
    return ApiError(400, f"Malformed multipart body: {what}", "badContent")
