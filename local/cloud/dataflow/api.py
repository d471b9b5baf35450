"""The Dataflow API, v1b3: batch and streaming jobs, on this machine."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.config import CloudConfig
from local.cloud.dataflow import console, enums, images, states, views
from local.cloud.dataflow.catalog import Catalog, JobRecord
from local.cloud.dataflow.folder import Plan, Streaming
from local.cloud.dataflow.launch import Launcher
from local.cloud.dataflow.request import images_of, job_of, workers_of
from local.cloud.dataflow.service_metrics import with_service_metrics
from local.cloud.dataflow.stop import jobs_root
from local.cloud.http import ApiError, Endpoint, json_body, unsupported

DEFAULT_LOCATION = "us-central1"
_MOST_JOBS = 1_000
_MOST_MESSAGES = 100
_UNSUPPORTED_LIST = ("createTimeRange", "terminationTimeRange", "regionalFanoutRequested")
_PROJECT = "/v1b3/projects/{project}"


class DataflowApi:
    """Dataflow jobs by REST; each runs in processes of its own, which outlive the server."""

    def __init__(self, config: CloudConfig) -> None:
        self._config = config
        self._catalog = Catalog(
            jobs_root(config.data),
            Launcher(config.url, config.pubsub),
            config.refuse_active_job_name,
        )

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
            Route("/console/jobs/{job}", self.console, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await run_in_threadpool(self._create, request, body))

    def _create(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        if request.query_params.get("replaceJobId"):
            body = {**body, "replaceJobId": request.query_params["replaceJobId"]}
        job = job_of(body)
        image = images.stand_in(images_of(job), self._config.images)
        plan = Plan(image.python, image.pythonpath, workers_of(job), self._streaming(job))
        record = self._catalog.create(_project(request), _location(request), job, plan)
        return views.job_view(record.job, record.status(), "JOB_VIEW_SUMMARY")

    def _streaming(self, job: dict[str, Any]) -> Streaming | None:
        if job["type"] != "JOB_TYPE_STREAMING":
            return None
        return Streaming(self._config.streaming_bundle, self._config.streaming_ack)

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
        shown = [
            views.summary(record.job, status)
            for record in self._catalog.all(_project(request), location)
            if query.get("name") in (None, "", record.job["name"])
            and views.listed(status := record.status(), list_filter)
        ]
        return _page("jobs", shown, request, _MOST_JOBS)

    def get(self, request: Request) -> Response:
        record = self._record(request)
        view = enums.name_of(request.query_params.get("view"), enums.JOB_VIEW, "view")
        status = record.status()
        successor = record.folder.successor() if status.state == states.UPDATED else None
        return JSONResponse(views.job_view(record.job, status, view, successor))

    async def update(self, request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await run_in_threadpool(self._update, request, body))

    def _update(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        record = self._record(request)
        if request.query_params.get("updateMask") or "runtimeUpdatableParams" in body:
            raise unsupported("the in-flight update of a Dataflow job (updateMask)")
        state = enums.name_of(body.get("requestedState"), enums.JOB_STATE, "job.requestedState")
        self._catalog.request(record, state)
        return views.job_view(record.job, record.status(), "JOB_VIEW_SUMMARY")

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
        return _page("jobMessages", messages, request, _MOST_MESSAGES)

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
    in_query = request.query_params.get("location")
    return str(request.path_params.get("location") or in_query or DEFAULT_LOCATION)


def _page(field: str, items: list[dict[str, Any]], request: Request, most: int) -> Response:
    query = request.query_params
    chosen, token = views.page(items, query.get("pageSize"), query.get("pageToken"), most)
    return JSONResponse({field: list(chosen), **({"nextPageToken": token} if token else {})})
