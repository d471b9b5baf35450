"""The methods of the Dataflow API that the local cloud does not have, each refused by name."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.cloud.http import unsupported

_PROJECT = "/v1b3/projects/{project}"
_REGION = _PROJECT + "/locations/{location}"
_MISSING = {
    "leasing work items: its jobs run on their own (workItems)": (
        "/jobs/{job}/workItems:lease",
        "/jobs/{job}/workItems:reportStatus",
    ),
    "messages of workers (workerMessages)": ("/WorkerMessages",),
    "the debugging of Dataflow workers (debug)": ("/jobs/{job}/debug/{method}",),
    "Dataflow snapshots": (
        "/jobs/{job}:snapshot",
        "/jobs/{job}/snapshots",
        "/snapshots",
        "/snapshots/{snapshot}",
    ),
    "the execution details of Dataflow jobs (getExecutionDetails)": (
        "/jobs/{job}/executionDetails",
        "/jobs/{job}/stages/{stage}/executionDetails",
    ),
    "classic Dataflow templates; it launches Flex Templates": (
        "/templates",
        "/templates:get",
        "/templates:launch",
    ),
    "Dataflow SQL (sql:validate)": ("/sql:validate",),
}


_DATA_PIPELINES = "/v1/projects/{project}/locations/{location}/pipelines{rest:path}"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def refusals() -> list[BaseRoute]:
    """Routes that answer 501 with the name of what is missing."""
    data_pipelines = _refuse("Dataflow data pipelines (datapipelines)")
    return [
        Route(_DATA_PIPELINES, data_pipelines, methods=_METHODS),
        *_missing(),
    ]


def _missing() -> list[BaseRoute]:
    return [
        Route(root + path, _refuse(feature), methods=_METHODS)
        for feature, paths in _MISSING.items()
        for path in paths
        for root in (_PROJECT, _REGION)
    ]


def _refuse(feature: str) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        raise unsupported(feature)

    return answer
