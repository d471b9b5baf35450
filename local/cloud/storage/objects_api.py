"""The objects resource of the JSON API, but for uploads."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from local.cloud.http import json_body
from local.cloud.storage.attributes import patch_object, replace_object
from local.cloud.storage.copies import compose, copy
from local.cloud.storage.download import media_response
from local.cloud.storage.listing import ListQuery, list_page
from local.cloud.storage.model import StoredObject
from local.cloud.storage.preconditions import Preconditions, etag_verdict, integer, not_met
from local.cloud.storage.resources import object_resource
from local.cloud.storage.routing import EncodedRoute, base_url
from local.cloud.storage.store import ObjectStore


class ObjectsApi:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        every = "/storage/v1/b/{bucket}/o"
        one = every + "/{object}"
        other = "/b/{to_bucket}/o/{to_object}"
        return [
            EncodedRoute(every, self.list, methods=["GET"]),
            EncodedRoute(one, self.get, methods=["GET"]),
            EncodedRoute(f"/download{one}", self.get, methods=["GET"]),
            EncodedRoute(one, self.patch, methods=["PATCH"]),
            EncodedRoute(one, self.update, methods=["PUT"]),
            EncodedRoute(one, self.delete, methods=["DELETE"]),
            EncodedRoute(f"{one}/compose", self.compose, methods=["POST"]),
            EncodedRoute(f"{one}/rewriteTo{other}", self.rewrite, methods=["POST"]),
            EncodedRoute(f"{one}/copyTo{other}", self.copy, methods=["POST"]),
            EncodedRoute(f"{one}/moveTo/o/{{to_object}}", self.move, methods=["POST"]),
        ]

    def list(self, request: Request) -> Response:
        bucket = self._store.bucket(request.path_params["bucket"]).name
        query = ListQuery.of(request.query_params)
        page = list_page(query, lambda start: self._store.scan(bucket, start))
        base = base_url(request)
        answer: dict[str, Any] = {"kind": "storage#objects"}
        answer["items"] = [object_resource(stored, base) for stored in page.items]
        if page.prefixes:
            answer["prefixes"] = page.prefixes
        if page.next_token:
            answer["nextPageToken"] = page.next_token
        return JSONResponse(answer)

    def get(self, request: Request) -> Response:
        stored = self._store.find(*_address(request), _generation(request))
        asked = Preconditions.of(request.query_params)
        verdicts = asked.verdict(stored), etag_verdict(request.headers, stored.etag)
        if "mismatch" in verdicts:
            raise not_met()
        if "unchanged" in verdicts:
            return Response(status_code=304)
        if request.query_params.get("alt") == "media":
            return media_response(stored, request)
        return _answer(stored, request)

    async def patch(self, request: Request) -> Response:
        change = await json_body(request)
        return await self._change(request, lambda old: patch_object(old, change))

    async def update(self, request: Request) -> Response:
        resource = await json_body(request)
        return await self._change(request, lambda old: replace_object(old, resource))

    async def _change(self, request: Request, change: Any) -> Response:
        def apply() -> StoredObject:
            return self._store.update(
                *_address(request),
                change,
                Preconditions.of(request.query_params),
                _generation(request),
            )

        return _answer(await to_thread.run_sync(apply), request)

    def delete(self, request: Request) -> Response:
        self._store.delete(
            *_address(request), Preconditions.of(request.query_params), _generation(request)
        )
        return Response(status_code=204)

    async def compose(self, request: Request) -> Response:
        body = await json_body(request)

        def apply() -> StoredObject:
            preconditions = Preconditions.of(request.query_params)
            return compose(self._store, *_address(request), body, preconditions)

        return _answer(await to_thread.run_sync(apply), request)

    async def rewrite(self, request: Request) -> Response:
        """Copies at once, whatever the size: one call is always enough."""
        written = await self._copied(request)
        return JSONResponse(
            {
                "kind": "storage#rewriteResponse",
                "totalBytesRewritten": str(written.size),
                "objectSize": str(written.size),
                "done": True,
                "resource": object_resource(written, base_url(request)),
            }
        )

    async def copy(self, request: Request) -> Response:
        return _answer(await self._copied(request), request)

    async def _copied(self, request: Request) -> StoredObject:
        body = await json_body(request)

        def apply() -> StoredObject:
            target = request.path_params["to_bucket"], request.path_params["to_object"]
            preconditions = Preconditions.of(request.query_params)
            return copy(self._store, self._source(request), *target, body, preconditions)

        return await to_thread.run_sync(apply)

    def move(self, request: Request) -> Response:
        preconditions = Preconditions.of(request.query_params)
        name = request.path_params["to_object"]
        return _answer(self._store.move(self._source(request), name, preconditions), request)

    def _source(self, request: Request) -> StoredObject:
        query = request.query_params
        source = self._store.find(*_address(request), integer(query, "sourceGeneration"))
        Preconditions.of(query, "ifSource").require(source)
        return source


def _address(request: Request) -> tuple[str, str]:
    return request.path_params["bucket"], request.path_params["object"]


def _generation(request: Request) -> int | None:
    return integer(request.query_params, "generation")


def _answer(stored: StoredObject, request: Request) -> Response:
    return JSONResponse(object_resource(stored, base_url(request)))
