"""The Dataflow API, v1b3: batch and streaming jobs, on this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.config import CloudConfig
from local.cloud.dataflow import console, enums, states, views
from local.cloud.dataflow.catalog import Catalog, JobRecord
from local.cloud.dataflow.flex.service import FlexTemplates
from local.cloud.dataflow.folder import Status
from local.cloud.dataflow.launch import Launcher
from local.cloud.dataflow.planning import Machines
from local.cloud.dataflow.refusals import refusals
from local.cloud.dataflow.request import job_of
from local.cloud.dataflow.service_metrics import with_service_metrics
from local.cloud.dataflow.stop import jobs_root
from local.cloud.faults.armed import staleness
from local.cloud.faults.in_jobs import announcement_path
from local.cloud.http import ApiError, Endpoint, json_body, unsupported
from local.cloud.storage.store import ObjectStore

DEFAULT_LOCATION = "us-central1"
_MOST_JOBS = 1_000
_MOST_MESSAGES = 100
_UNSUPPORTED_LIST = ("createTimeRange", "terminationTimeRange", "regionalFanoutRequested")
_PROJECT = "/v1b3/projects/{project}"
_REGION = re.compile(r"[a-z]+(-[a-z]+)+\d+")


class DataflowApi:
    """Dataflow jobs by REST; each runs in processes of its own, which outlive the server."""

    def __init__(self, config: CloudConfig, objects: ObjectStore) -> None:
        self._machines = Machines.of(config)
        self._catalog = Catalog(
            jobs_root(config.data),
            Launcher(config.url, config.pubsub, announcement_path(config.data)),
            config.refuse_active_job_name,
        )
        self._templates = FlexTemplates(config, objects, self._catalog)

    def start(self) -> None:
        self._catalog.load()

    def stop(self) -> None:
        """Leaves the jobs running: see local.cloud.dataflow.stop."""

    def routes(self) -> list[BaseRoute]:
        return [
            Route(_PROJECT + "/jobs:aggregated", self.aggregated, methods=["GET"]),
            *_regional("/jobs", self.create, "POST"),
            *_regional("/jobs", self.list, "GET"),
            *_regional("/jobs/{job}", self.get, "GET"),
            *_regional("/jobs/{job}", self.update, "PUT"),
            *_regional("/jobs/{job}/metrics", self.metrics, "GET"),
            *_regional("/jobs/{job}/messages", self.messages, "GET"),
            Route(
                _PROJECT + "/locations/{location}/flexTemplates:launch",
                self.launch,
                methods=["POST"],
            ),
            *refusals(),
            Route("/console/jobs/{job}", self.console, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await run_in_threadpool(self._create, request, body))

    def _create(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        if request.query_params.get("replaceJobId"):
            body = {**body, "replaceJobId": request.query_params["replaceJobId"]}
        job = job_of(body)
        record = self._catalog.create(
            _project(request), _location(request), job, self._machines.plan(job)
        )
        return views.job_view(record.job, record.status(), "JOB_VIEW_SUMMARY")

    async def launch(self, request: Request) -> Response:
        body = await json_body(request)
        launch = self._templates.launch
        return JSONResponse(
            await run_in_threadpool(launch, _project(request), _location(request), body)
        )

    def list(self, request: Request) -> Response:
        return self._listed(request, _location(request))

    def aggregated(self, request: Request) -> Response:
        return self._listed(request, None)

    def _listed(self, request: Request, location: str | None) -> Response:
        query = request.query_params
        for name in query:
            if name.partition(".")[0] in _UNSUPPORTED_LIST:
                raise unsupported(f"listing Dataflow jobs by {name}")
        list_filter = enums.name_of(query.get("filter"), enums.LIST_FILTER, "filter")
        ago = staleness(request.method, request.url.path)
        shown = [
            views.summary(record.job, status)
            for record in self._catalog.all(_project(request), location)
            if query.get("name") in (None, "", record.job["name"])
            and (status := record.status_ago(ago))
            and views.listed(status, list_filter)
        ]
        page = views.page_of_jobs(shown, query.get("pageSize"), query.get("pageToken"), _MOST_JOBS)
        return _answer("jobs", *page)

    def get(self, request: Request) -> Response:
        record = self._record(request)
        view = enums.name_of(request.query_params.get("view"), enums.JOB_VIEW, "view")
        ago = staleness(request.method, request.url.path)
        return JSONResponse(self._view(record, view, ago))

    def _view(self, record: JobRecord, view: str, ago: float = 0.0) -> dict[str, Any]:
        """The job as it was `ago` seconds before, but not before it was created."""
        status = record.status_ago(ago) or Status(states.PENDING, record.job["createTime"])
        successor = record.folder.successor() if status.state == states.UPDATED else None
        return views.job_view(record.job, status, view, successor, record.folder.tuning())

    async def update(self, request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await run_in_threadpool(self._update, request, body))

    def _update(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        record = self._record(request)
        mask, state = request.query_params.get("updateMask"), body.get("requestedState")
        if mask and state:
            raise ApiError(400, "A request updates either the state or what updateMask names.")
        if mask:
            self._catalog.tune(record, mask, body.get("runtimeUpdatableParams", {}))
        else:
            wanted = enums.name_of(state, enums.JOB_STATE, "job.requestedState")
            self._catalog.request(record, wanted)
        return self._view(record, "JOB_VIEW_SUMMARY")

    def metrics(self, request: Request) -> Response:
        record = self._record(request)
        metrics = with_service_metrics(
            record.folder.metrics(), record.status(), record.folder.plan().workers
        )
        return JSONResponse(views.select_metrics(metrics, request.query_params.get("startTime")))

    def messages(self, request: Request) -> Response:
        query = request.query_params
        least = enums.name_of(
            query.get("minimumImportance"), enums.MESSAGE_IMPORTANCE, "minimumImportance"
        )
        messages = views.select_messages(
            self._record(request).folder.messages(),
            least,
            query.get("startTime"),
            query.get("endTime"),
        )
        page = views.page(messages, query.get("pageSize"), query.get("pageToken"), _MOST_MESSAGES)
        return _answer("jobMessages", *page)

    def console(self, request: Request) -> Response:
        """A page for people: the job, its counters, the end of its log."""
        job_id = request.path_params["job"]
        record = self._catalog.find(job_id)
        if not record:
            raise ApiError(404, f"No job {job_id}.", "notFound")
        return HTMLResponse(console.page(record.job, record.status(), record.folder))

    def _record(self, request: Request) -> JobRecord:
        return self._catalog.get(_project(request), _location(request), request.path_params["job"])


def _regional(path: str, endpoint: Endpoint, method: str) -> list[BaseRoute]:
    """The route with the location in its path, and the older one without."""
    return [
        Route(_PROJECT + "/locations/{location}" + path, endpoint, methods=[method]),
        Route(_PROJECT + path, endpoint, methods=[method]),
    ]


def _project(request: Request) -> str:
    return str(request.path_params["project"])


def _location(request: Request) -> str:
    """The region asked for. Raises ApiError 400 for one that cannot be."""
    in_query = request.query_params.get("location")
    location = str(request.path_params.get("location") or in_query or DEFAULT_LOCATION)
    if not _REGION.fullmatch(location):
        raise ApiError(400, f"Invalid regional endpoint {location!r}: a region, e.g. us-central1.")
    return location


def _answer(field: str, items: Sequence[dict[str, Any]], token: str | None) -> Response:
    return JSONResponse({field: list(items), **({"nextPageToken": token} if token else {})})
