"""The buckets resource of the JSON API."""

from __future__ import annotations

import re
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from local.cloud.http import ApiError, json_body
from local.cloud.storage.attributes import bucket_fields, patch_bucket
from local.cloud.storage.model import Bucket
from local.cloud.storage.preconditions import integer, not_met
from local.cloud.storage.resources import bucket_resource
from local.cloud.storage.routing import EncodedRoute, base_url
from local.cloud.storage.store import ObjectStore

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


class BucketsApi:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        one = "/storage/v1/b/{bucket}"
        return [
            EncodedRoute("/storage/v1/b", self.insert, methods=["POST"]),
            EncodedRoute("/storage/v1/b", self.list, methods=["GET"]),
            EncodedRoute(one, self.get, methods=["GET"]),
            EncodedRoute(one, self.patch, methods=["PATCH"]),
            EncodedRoute(one, self.delete, methods=["DELETE"]),
            EncodedRoute(f"{one}/storageLayout", self.layout, methods=["GET"]),
            EncodedRoute(f"{one}/managedFolders", self.managed_folders, methods=["GET"]),
        ]

    async def insert(self, request: Request) -> Response:
        body = await json_body(request)
        name = body.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ApiError(400, f"Invalid bucket name: '{name}'", "invalid")
        fields = bucket_fields(body)
        bucket = await to_thread.run_sync(self._store.create_bucket, name, fields)
        return _answer(bucket, request)

    def list(self, request: Request) -> Response:
        prefix = request.query_params.get("prefix", "")
        start = request.query_params.get("pageToken", "")
        limit = integer(request.query_params, "maxResults") or 1000
        named = [
            bucket
            for bucket in self._store.buckets()
            if bucket.name.startswith(prefix) and bucket.name >= start
        ]
        base = base_url(request)
        answer: dict[str, Any] = {"kind": "storage#buckets"}
        answer["items"] = [bucket_resource(bucket, base) for bucket in named[:limit]]
        if len(named) > limit:
            answer["nextPageToken"] = named[limit].name
        return JSONResponse(answer)

    def get(self, request: Request) -> Response:
        bucket = self._store.bucket(request.path_params["bucket"])
        _require(request, bucket)
        return _answer(bucket, request)

    async def patch(self, request: Request) -> Response:
        change = await json_body(request)

        def apply() -> Bucket:
            return self._store.update_bucket(
                request.path_params["bucket"],
                lambda fields: patch_bucket(fields, change),
                lambda bucket: _require(request, bucket),
            )

        return _answer(await to_thread.run_sync(apply), request)

    def delete(self, request: Request) -> Response:
        self._store.delete_bucket(
            request.path_params["bucket"], lambda bucket: _require(request, bucket)
        )
        return Response(status_code=204)

    def layout(self, request: Request) -> Response:
        bucket = self._store.bucket(request.path_params["bucket"])
        return JSONResponse(
            {
                "kind": "storage#storageLayout",
                "bucket": bucket.name,
                "location": bucket.fields["location"],
                "hierarchicalNamespace": {"enabled": False},
            }
        )

    def managed_folders(self, request: Request) -> Response:
        """None: making one is refused. gcloud looks before it removes a bucket."""
        self._store.bucket(request.path_params["bucket"])
        return JSONResponse({"kind": "storage#managedFolders"})


def _require(request: Request, bucket: Bucket) -> None:
    match = integer(request.query_params, "ifMetagenerationMatch")
    not_match = integer(request.query_params, "ifMetagenerationNotMatch")
    if match not in (None, bucket.metageneration) or not_match == bucket.metageneration:
        raise not_met()


def _answer(bucket: Bucket, request: Request) -> Response:
    return JSONResponse(bucket_resource(bucket, base_url(request)))
