"""Objects on their way out: whole, in ranges, unpacked for clients that do not speak gzip."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.cloud.http import ApiError
from local.cloud.storage.blobs import CHUNK
from local.cloud.storage.checksums import goog_hash
from local.cloud.storage.model import StoredObject
from local.cloud.storage.ranges import Span, requested_span

_AT_ONCE = 256 * 1024


def media_response(stored: StoredObject, request: Request) -> Response:
    """The bytes as stored, or their range. A reader that has begun is not touched by overwriting.

    An object stored with contentEncoding gzip goes out unpacked to a client that does not accept
    gzip, whole and without a length, as the service does.
    """
    headers = _headers(stored)
    if _must_unpack(stored, request):
        return StreamingResponse(_unpacked(stored.path), headers=headers)
    if encoding := stored.fields.get("contentEncoding"):
        headers["Content-Encoding"] = encoding
    try:
        span = requested_span(request.headers.get("range"), stored.size)
    except ApiError as error:
        refused = error.response()
        refused.headers["Content-Range"] = f"bytes */{stored.size}"
        return refused
    status = 200
    if span is None:
        span = Span(0, stored.size)
    else:
        status = 206
        last = span.start + span.length - 1
        headers["Content-Range"] = f"bytes {span.start}-{last}/{stored.size}"
    file = stored.path.open("rb", buffering=0)
    file.seek(span.start)
    if span.length <= _AT_ONCE:
        with file:
            return Response(file.read(span.length), status, headers)
    headers["Content-Length"] = str(span.length)
    return StreamingResponse(_chunks(file, span.length), status, headers)


def _headers(stored: StoredObject) -> dict[str, str]:
    headers = {
        "Content-Type": stored.content_type or "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": stored.etag,
        "X-Goog-Generation": str(stored.generation),
        "X-Goog-Metageneration": str(stored.metageneration),
        "X-Goog-Hash": goog_hash(stored),
        "X-Goog-Stored-Content-Length": str(stored.size),
        "X-Goog-Stored-Content-Encoding": stored.fields.get("contentEncoding", "identity"),
    }
    for name, field in (
        ("Cache-Control", "cacheControl"),
        ("Content-Disposition", "contentDisposition"),
        ("Content-Language", "contentLanguage"),
    ):
        if field in stored.fields:
            headers[name] = stored.fields[field]
    return headers


def _must_unpack(stored: StoredObject, request: Request) -> bool:
    return (
        stored.fields.get("contentEncoding") == "gzip"
        and "gzip" not in request.headers.get("accept-encoding", "")
        and "no-transform" not in stored.fields.get("cacheControl", "")
    )


async def _chunks(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    """Reads in a thread, in big pieces; the next one only when the client has taken the last."""
    with file:
        while length:
            chunk = await to_thread.run_sync(file.read, min(CHUNK, length))
            if not chunk:
                raise OSError("the object's file is shorter than its size")
            length -= len(chunk)
            yield chunk


def _unpacked(path: Path) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield inflate.decompress(chunk)
    yield inflate.flush()
