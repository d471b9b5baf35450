"""Endpoints of datasets, tables and table rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.bigquery import datasets, partition_views, rows, schema, tables
from local.cloud.bigquery.jobs_api import paged
from local.cloud.bigquery.names import DatasetRef, dataset_ref, target
from local.cloud.bigquery.queries import run as query_run
from local.cloud.bigquery.rows import Window
from local.cloud.bigquery.sizes import Sizes, counts, public
from local.cloud.bigquery.store import Resource, Store
from local.cloud.http import json_body

_BASE = "/bigquery/v2/projects"


class CatalogEndpoints:
    """What stands in the catalogue, and the rows of its tables."""

    def __init__(self, store: Store, sizes: Sizes) -> None:
        self._store = store
        self._sizes = sizes

    def routes(self) -> list[BaseRoute]:
        project = _BASE + "/{project}"
        dataset = project + "/datasets/{dataset}"
        table = dataset + "/tables/{table}"
        return [
            Route(_BASE, _threaded(self._list_projects), methods=["GET"]),
            Route(f"{project}/datasets", _with_body(self._insert_dataset), methods=["POST"]),
            Route(f"{project}/datasets", _threaded(self._list_datasets), methods=["GET"]),
            Route(dataset, _threaded(self._get_dataset), methods=["GET"]),
            Route(dataset, _with_body(self._change_dataset), methods=["PATCH", "PUT"]),
            Route(dataset, _threaded(self._delete_dataset), methods=["DELETE"]),
            Route(f"{dataset}/tables", _with_body(self._insert_table), methods=["POST"]),
            Route(f"{dataset}/tables", _threaded(self._list_tables), methods=["GET"]),
            Route(table, _threaded(self._get_table), methods=["GET"]),
            Route(table, _with_body(self._change_table), methods=["PATCH", "PUT"]),
            Route(table, _threaded(self._delete_table), methods=["DELETE"]),
            Route(f"{table}/data", _threaded(self._list_rows), methods=["GET"]),
        ]

    def _list_projects(self, request: Request) -> Resource:
        names = {d["datasetReference"]["projectId"] for d in self._store.all("dataset").values()}
        found = [_project_resource(name) for name in sorted(names)]
        page, token = paged(found, request)
        return {"kind": "bigquery#projectList", "projects": page, "totalItems": len(found), **token}

    def _insert_dataset(self, request: Request, body: Mapping[str, Any]) -> Resource:
        return datasets.insert(self._store, request.path_params["project"], body)

    def _list_datasets(self, request: Request) -> Resource:
        hidden = request.query_params.get("all", "").lower() == "true"
        found = datasets.listing(
            self._store,
            request.path_params["project"],
            request.query_params.get("filter", ""),
            hidden=hidden,
        )
        page, token = paged(found, request)
        return {"kind": "bigquery#datasetList", "datasets": page, **token}

    def _get_dataset(self, request: Request) -> Resource:
        return datasets.get(self._store, _dataset(request))

    def _change_dataset(self, request: Request, body: Mapping[str, Any]) -> Resource:
        return datasets.patch(
            self._store,
            _dataset(request),
            body,
            request.headers.get("if-match"),
            replace=request.method == "PUT",
        )

    def _delete_dataset(self, request: Request) -> None:
        contents = request.query_params.get("deleteContents", "").lower() == "true"
        datasets.delete(self._store, _dataset(request), contents=contents)

    def _insert_table(self, request: Request, body: Mapping[str, Any]) -> Resource:
        project = request.path_params["project"]
        reference = {"tableId": (body.get("tableReference") or {}).get("tableId", "")}
        body = {**body, "tableReference": {**_dataset(request).to_json(), **reference}}
        created = tables.insert(self._store, project, self._with_view_schema(request, body))
        return self._sizes.with_counts(created)

    def _with_view_schema(self, request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A view's schema follows from its query, which must be valid."""
        if not body.get("view"):
            return body
        dataset = _dataset(request)
        location = datasets.get(self._store, dataset)["location"]
        query = body["view"].get("query")
        fields = query_run.result_schema(self._store, dataset.project, location, query)
        return {**body, "schema": schema.to_json(fields)}

    def _list_tables(self, request: Request) -> Resource:
        found = tables.listing(self._store, _dataset(request))
        page, token = paged(found, request)
        answer = {"kind": "bigquery#tableList", "tables": page, "totalItems": len(found)}
        return {**answer, **token}

    def _get_table(self, request: Request) -> Resource:
        wanted = target(_reference(request), request.path_params["project"])
        resource = tables.get(self._store, wanted.table)
        if not wanted.partition:
            return self._sizes.with_counts(resource)
        shown = partition_views.named(resource, wanted.partition)
        if wanted.partition == partition_views.SUMMARY:
            return public(shown)
        condition = partition_views.settled_rows(resource, wanted.partition)
        return public(shown) | counts(self._sizes.of_rows(resource, condition))

    def _change_table(self, request: Request, body: Mapping[str, Any]) -> Resource:
        wanted = target(_reference(request), request.path_params["project"])
        changed = tables.patch(
            self._store,
            wanted.table,
            self._with_view_schema(request, body),
            request.headers.get("if-match"),
            replace=request.method == "PUT",
        )
        return self._sizes.with_counts(changed)

    def _delete_table(self, request: Request) -> None:
        tables.delete(self._store, request.path_params["project"], _reference(request))

    def _list_rows(self, request: Request) -> Resource:
        wanted = target(_reference(request), request.path_params["project"])
        resource = tables.get(self._store, wanted.table)
        names = request.query_params.get("selectedFields", "")
        page = rows.page_from(dict(request.query_params))
        if wanted.partition == partition_views.SUMMARY:
            chosen = rows.selected(partition_views.SUMMARY_FIELDS, names)
            found = partition_views.read_summary(self._store, resource, chosen, page)
        else:
            chosen = rows.selected(tables.fields_of(resource), names)
            window = Window()
            if wanted.partition:
                window = Window(condition=partition_views.settled_rows(resource, wanted.partition))
            found = rows.read(self._store, resource, chosen, page, window)
        answer: Resource = {
            "kind": "bigquery#tableDataList",
            "etag": resource["etag"],
            "totalRows": str(found.total),
        }
        if page.size:
            answer["rows"] = found.rows
        if found.next_token:
            answer["pageToken"] = found.next_token
        return answer


def _dataset(request: Request) -> DatasetRef:
    return dataset_ref(
        {"datasetId": request.path_params["dataset"]}, request.path_params["project"]
    )


def _reference(request: Request) -> dict[str, str]:
    return {"datasetId": request.path_params["dataset"], "tableId": request.path_params["table"]}


def _project_resource(name: str) -> Resource:
    reference = {"projectId": name}
    common = {"kind": "bigquery#project", "id": name, "friendlyName": name, "numericId": "0"}
    return {**common, "projectReference": reference}


def _threaded(handler: Callable[[Request], Resource | None]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return _answer(await run_in_threadpool(handler, request))

    return endpoint


def _with_body(
    handler: Callable[[Request, Mapping[str, Any]], Resource],
) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = await json_body(request)
        return _answer(await run_in_threadpool(handler, request, body))

    return endpoint


def _answer(resource: Resource | None) -> Response:
    return Response(status_code=204) if resource is None else JSONResponse(resource)
