"""Media uploads of load jobs: multipart in one request, or resumable in many."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

from local.cloud.http import ApiError
from local.cloud.multipart import read_related

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True)
class Received:
    """How much of a resumable upload has come, and whether that is all."""

    size: int
    complete: bool


class Uploads:
    """Files being uploaded, in one folder. Resumable ones go on after a restart of the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def multipart(self, request: Request) -> tuple[dict[str, Any], Path]:
        """The job and the media of a `multipart/related` request. Raises ApiError 400."""
        upload = await read_related(request.headers.get("content-type", ""), request.stream())
        path = self._new_path()
        path.touch()
        await _write(path, 0, upload.media)
        return upload.resource, path

    async def begin(self, request: Request) -> str:
        """Opens a resumable upload; answers its id."""
        path = self._new_path()
        path.touch()
        job = await request.body()
        _job(job)
        path.with_suffix(".json").write_bytes(job)
        return path.name

    async def receive(self, upload_id: str, request: Request) -> Received:
        """Appends one chunk. Raises ApiError 404 for an unknown upload, 400 for a gap."""
        path = self._existing(upload_id)
        match = _RANGE.fullmatch(request.headers.get("content-range", "bytes */*"))
        if not match:
            raise ApiError(400, "Invalid Content-Range header.")
        start, _, total = match.groups()
        size = path.stat().st_size
        if "content-range" not in request.headers:
            size = await _write(path, 0, request.stream())
            return Received(size, complete=True)
        if start is not None:
            if int(start) > size:
                raise ApiError(400, f"The upload holds {size} bytes; the chunk starts at {start}.")
            size = await _write(path, int(start), request.stream())
        return Received(size, complete=total != "*" and size >= int(total))

    def job(self, upload_id: str) -> tuple[dict[str, Any], Path]:
        """The job and the media of a resumable upload."""
        path = self._existing(upload_id)
        return _job(path.with_suffix(".json").read_bytes()), path

    def _new_path(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / secrets.token_hex(16)

    def _existing(self, upload_id: str) -> Path:
        path = self._folder / upload_id
        if not re.fullmatch(r"[0-9a-f]{32}", upload_id) or not path.exists():
            raise ApiError(404, f"Not found: Upload {upload_id}", "notFound")
        return path


async def _write(path: Path, start: int, chunks: AsyncIterator[bytes]) -> int:
    with path.open("r+b") as file:
        file.truncate(start)
        file.seek(start)
        async for chunk in chunks:
            file.write(chunk)
        return file.tell()


def _job(raw: Any) -> dict[str, Any]:
    try:
        job = json.loads(raw or b"{}")
    except ValueError as error:
        raise ApiError(400, f"the job is not JSON: {error}", "parseError") from error
    if not isinstance(job, dict):
        raise ApiError(400, "the job is not a JSON object", "parseError")
    return job
