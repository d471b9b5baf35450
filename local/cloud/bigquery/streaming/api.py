"""The endpoint of insertAll."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.bigquery.names import target
from local.cloud.bigquery.streaming import requests
from local.cloud.bigquery.streaming.inserts import Inserter

_PATH = "/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll"


class StreamingEndpoints:
    """Accepts rows."""

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter

    def routes(self) -> list[BaseRoute]:
        return [Route(_PATH, self._insert_all, methods=["POST"])]

    async def _insert_all(self, request: Request) -> Response:
        requests.check_size(int(request.headers.get("content-length") or 0))
        raw = await request.body()
        requests.check_size(len(raw))
        return JSONResponse(await run_in_threadpool(self._insert, request, raw))

    def _insert(self, request: Request, raw: bytes) -> dict[str, Any]:
        path = request.path_params
        reference = {"datasetId": path["dataset"], "tableId": path["table"]}
        wanted = target(reference, path["project"])
        body = requests.unpacked(raw, request.headers.get("content-encoding", ""))
        problems = self._inserter.insert(wanted, requests.parse(body)).by_row
        answer: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        if problems:
            errors = [{"index": i, "errors": problems[i]} for i in sorted(problems)]
            answer["insertErrors"] = errors
        return answer
