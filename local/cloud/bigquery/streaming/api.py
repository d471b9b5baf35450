"""The endpoint of insertAll."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.bigquery.names import target
from local.cloud.bigquery.streaming import requests
from local.cloud.bigquery.streaming.columns import Problems
from local.cloud.bigquery.streaming.inserts import Inserter
from local.cloud.bigquery.streaming.requests import InsertRequest
from local.cloud.faults.armed import ARMED

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
        asked = requests.parse(body)
        problems = _struck(request, asked)
        self._inserter.insert(wanted, asked, problems)
        answer: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        if problems.by_row:
            errors = [{"index": i, "errors": said} for i, said in sorted(problems.by_row.items())]
            answer["insertErrors"] = errors
        return answer


def _struck(request: Request, asked: InsertRequest) -> Problems:
    """The rows that armed faults refuse, whatever is in them."""
    problems = Problems()
    pairs = zip(asked.ids, asked.rows, strict=True)
    texts = (f"{id_} {orjson.dumps(row).decode()}" for id_, row in pairs)
    for i, fault in ARMED.at_rows(request.method, request.url.path, texts).items():
        reason = fault.reason if "reason" in fault.model_fields_set else "invalid"
        problems.add(i, "", fault.message, reason)
    return problems
