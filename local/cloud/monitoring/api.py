"""The Cloud Monitoring API, v3: time series of the metrics that are sampled here."""

from __future__ import annotations

import os
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.config import CloudConfig
from local.cloud.http import ApiError, unsupported
from local.cloud.monitoring.metrics import (
    METRICS,
    RESOURCES,
    SUBSCRIPTION,
    Metric,
    metric_descriptor,
    resource_descriptor,
)
from local.cloud.monitoring.query import Query, answer, query_of
from local.cloud.monitoring.sampler import Sampler
from local.cloud.monitoring.series import Labels, Series
from local.cloud.monitoring.store import PointStore

_PROJECT = "/v3/projects/{project}"


class MonitoringApi:
    """Reads what the sampler has stored, once it is as old as the delay asks."""

    def __init__(self, config: CloudConfig) -> None:
        self._interval = config.monitoring_interval_s
        self._delay = config.monitoring_delay_s
        self._pubsub = config.pubsub or os.environ.get("PUBSUB_EMULATOR_HOST")
        self._store = PointStore(config.data / "monitoring" / "points.sqlite")
        self._sampler = Sampler(config, self._store, self._pubsub)

    def start(self) -> None:
        self._sampler.start()

    def stop(self) -> None:
        self._sampler.stop()
        self._store.close()

    def routes(self) -> list[BaseRoute]:
        metrics, resources = "/metricDescriptors", "/monitoredResourceDescriptors"
        return [
            Route(_PROJECT + "/timeSeries", self.time_series, methods=["GET"]),
            Route(_PROJECT + metrics, self.metrics, methods=["GET"]),
            Route(_PROJECT + metrics + "/{type:path}", self.metric, methods=["GET"]),
            Route(_PROJECT + resources, self.resources, methods=["GET"]),
            Route(_PROJECT + resources + "/{type}", self.resource, methods=["GET"]),
        ]

    def time_series(self, request: Request) -> Response:
        project, parameters = request.path_params["project"], request.query_params
        query = query_of(parameters)
        now = time.time()
        visible = min(query.page.visible, now - self._delay_of(query.filter.metric))
        if query.filter.metric.resource is SUBSCRIPTION:
            if not self._pubsub:
                raise unsupported("metrics of Pub/Sub without an emulator: start it with --pubsub")
            self._store.ask(project, parameters["filter"], now)
        return JSONResponse(answer(self._read(project, query, visible), query, visible))

    def _read(self, project: str, query: Query, visible: float) -> list[Series]:
        """The series in question, aligned if asked for, without what is not visible yet."""

        def chooses(resource: Labels, labels: Labels) -> bool:
            return resource["project_id"] == project and query.filter.chooses(resource, labels)

        metric = query.filter.metric
        if visible < query.end and visible <= query.start:
            return []
        until = min(query.end, visible)
        series = self._store.read(metric.type, chooses, query.start, until)
        if not query.alignment:
            return series
        return [query.alignment.apply(s, query.start, query.end) for s in series]

    def _delay_of(self, metric: Metric) -> float:
        return metric.delay if self._delay is None else self._delay

    def metrics(self, request: Request) -> Response:
        _no_parameters(request)
        project = request.path_params["project"]
        found = [metric_descriptor(m, project, self._interval) for m in METRICS.values()]
        return JSONResponse({"metricDescriptors": found})

    def metric(self, request: Request) -> Response:
        project, type = request.path_params["project"], request.path_params["type"]
        if type not in METRICS:
            raise unsupported(f"the metric {type}; it has {', '.join(sorted(METRICS))}")
        return JSONResponse(metric_descriptor(METRICS[type], project, self._interval))

    def resources(self, request: Request) -> Response:
        _no_parameters(request)
        project = request.path_params["project"]
        found = [resource_descriptor(resource, project) for resource in RESOURCES.values()]
        return JSONResponse({"resourceDescriptors": found})

    def resource(self, request: Request) -> Response:
        project, type = request.path_params["project"], request.path_params["type"]
        if type not in RESOURCES:
            raise ApiError(404, f"Could not find resource type {type}.", "notFound")
        return JSONResponse(resource_descriptor(RESOURCES[type], project))


def _no_parameters(request: Request) -> None:
    asked: dict[str, Any] = dict(request.query_params)
    for name in ("filter", "pageToken", "activeOnly"):
        if asked.get(name):
            raise unsupported(f"listing descriptors by {name}")
