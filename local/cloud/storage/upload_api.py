"""Uploads: media, multipart and resumable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from local.cloud.http import ApiError, json_body
from local.cloud.multipart import read_related
from local.cloud.storage.attributes import object_attributes
from local.cloud.storage.blobs import CHUNK
from local.cloud.storage.checksums import announced, verify
from local.cloud.storage.model import StoredObject
from local.cloud.storage.preconditions import Preconditions
from local.cloud.storage.ranges import ContentRange
from local.cloud.storage.resources import object_resource
from local.cloud.storage.routing import EncodedRoute, base_url
from local.cloud.storage.store import ObjectStore
from local.cloud.storage.uploads import Target, Uploads, UploadSession

_CLIENT_CLOSED_REQUEST = 499


class UploadApi:
    def __init__(self, store: ObjectStore, uploads: Uploads) -> None:
        self._store = store
        self._uploads = uploads

    def routes(self) -> list[BaseRoute]:
        path = "/upload/storage/v1/b/{bucket}/o"
        # Some clients write resumable uploads under a path of their own.
        return [
            route
            for start in ("", "/resumable")
            for route in (
                EncodedRoute(start + path, self.insert, methods=["POST"]),
                EncodedRoute(start + path, self.resume, methods=["PUT"]),
                EncodedRoute(start + path, self.cancel, methods=["DELETE"]),
            )
        ]

    async def insert(self, request: Request) -> Response:
        if "upload_id" in request.query_params:
            return await self.resume(request)
        kind = request.query_params.get("uploadType")
        match kind:
            case "media":
                target = _target(request, {}, request.headers.get("content-type"))
                return await self._receive(request, target, request.stream())
            case "multipart":
                content_type = request.headers.get("content-type", "")
                related = await read_related(content_type, request.stream())
                target = _target(request, related.resource, related.media_type)
                return await self._receive(request, target, related.media)
            case "resumable":
                return await self._begin(request)
        raise ApiError(400, f"Invalid uploadType: '{kind}'", "invalidParameter")

    async def _receive(
        self, request: Request, target: Target, media: AsyncIterator[bytes]
    ) -> Response:
        """The whole object in one request; it comes to be when its last byte is here."""
        self._store.bucket(target.bucket)
        writer = self._store.new_blob()
        try:
            rest = await _spool(media, writer.write)
        except BaseException:
            writer.abandon()
            raise

        def conclude() -> StoredObject:
            try:
                writer.write(rest)
                blob = writer.finish()
                verify(blob, target.checksums)
            except BaseException:
                writer.abandon()
                raise
            return self._store.commit(
                target.bucket, target.name, blob, target.attributes, target.preconditions
            )

        return _answer(await to_thread.run_sync(conclude), request)

    async def _begin(self, request: Request) -> Response:
        resource = await json_body(request)
        target = _target(request, resource, request.headers.get("x-upload-content-type"))
        upload_id = await to_thread.run_sync(self._uploads.begin, target)
        path = f"/upload/storage/v1/b/{target.bucket}/o"
        location = f"{base_url(request)}{path}?uploadType=resumable&upload_id={upload_id}"
        return Response(
            headers={"Location": location, "X-GUploader-UploadID": upload_id},
            media_type="application/json",
        )

    async def resume(self, request: Request) -> Response:
        """Bytes for a session, or the question how many are here."""
        session = await to_thread.run_sync(self._uploads.session, _upload_id(request))
        header = request.headers.get("content-range")
        if header is None:
            await self._append(request, session, 0)
            return await self._finish(request, session)
        content = ContentRange.of(header)
        if content.first is not None:
            await self._append(request, session, content.first)
        if session.generation is not None or content.total == session.size:
            return await self._finish(request, session)
        return _incomplete(session)

    async def _append(self, request: Request, session: UploadSession, offset: int) -> None:
        """What arrives before the client is cut off stays."""

        def append(data: bytes) -> None:
            nonlocal offset
            session.append(offset, data)
            offset += len(data)

        await to_thread.run_sync(append, await _spool(request.stream(), append, keep=True))

    async def _finish(self, request: Request, session: UploadSession) -> Response:
        checksums = announced({}, request.headers.get("x-goog-hash"))
        return _answer(await to_thread.run_sync(self._uploads.finish, session, checksums), request)

    def cancel(self, request: Request) -> Response:
        self._uploads.cancel(self._uploads.session(_upload_id(request)))
        return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _spool(
    stream: AsyncIterator[bytes], write: Callable[[bytes], None], *, keep: bool = False
) -> bytes:
    """Write a stream in big pieces, in threads; answers the last piece, which is yet to be written.

    With `keep`, the last piece of a stream that breaks off is written before the error goes on.
    """
    held = bytearray()
    try:
        async for chunk in stream:
            held += chunk
            if len(held) >= CHUNK:
                piece, held = bytes(held), bytearray()
                await to_thread.run_sync(write, piece)
    except Exception:
        if keep:
            await to_thread.run_sync(write, bytes(held))
        raise
    return bytes(held)


def _target(request: Request, resource: dict[str, Any], media_type: str | None) -> Target:
    query = request.query_params
    name = resource.get("name") or query.get("name")
    if not name:
        raise ApiError(400, "Required parameter: name", "required")
    if encoding := query.get("contentEncoding"):
        resource = {"contentEncoding": encoding, **resource}
    return Target(
        bucket=request.path_params["bucket"],
        name=name,
        attributes=object_attributes(resource, media_type),
        preconditions=Preconditions.of(query),
        checksums=announced(resource, request.headers.get("x-goog-hash")),
    )


def _upload_id(request: Request) -> str:
    upload_id = request.query_params.get("upload_id")
    if not upload_id:
        raise ApiError(400, "Required parameter: upload_id", "required")
    return upload_id


def _incomplete(session: UploadSession) -> Response:
    """308: go on behind the last byte of Range; without Range, from the beginning."""
    headers = {"X-GUploader-UploadID": session.id}
    if session.size:
        headers["Range"] = f"bytes=0-{session.size - 1}"
    return Response(status_code=308, headers=headers)


def _answer(stored: StoredObject, request: Request) -> Response:
    return JSONResponse(object_resource(stored, base_url(request)))
