"""Job endpoints: insert (also by upload), get, list, cancel, delete, query, pages of results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.bigquery import rows, schema, submission, tables
from local.cloud.bigquery.errors import from_proto
from local.cloud.bigquery.jobs import Jobs
from local.cloud.bigquery.names import table_ref
from local.cloud.bigquery.queries import run as query_run
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.submission import Submission
from local.cloud.bigquery.uploads import Uploads
from local.cloud.faults.armed import staleness
from local.cloud.http import ApiError, json_body, unsupported

_DEFAULT_WAIT_MS = 10_000
_LONGEST_WAIT_MS = 200_000
_GRACE_S = 0.2
_LATEST = 2**62
_FORMAT = "formatOptions"
# What a QueryRequest shares with configuration.query, and what it keeps for itself.
_QUERY_CONFIGURATION = {
    "clustering", "createDisposition", "defaultDataset", "destinationTable",
    "maximumBytesBilled", "parameterMode", "preserveNulls", "query", "queryParameters",
    "schemaUpdateOptions", "timePartitioning", "useLegacySql", "useQueryCache",
    "writeDisposition", "priority", "allowLargeResults", "flattenResults",
}  # fmt: skip
_QUERY_REQUEST = {
    "dryRun", "formatOptions", "jobCreationMode", "kind", "labels", "location", "maxResults",
    "requestId", "timeoutMs", "jobTimeoutMs",
}  # fmt: skip
_DML_COUNTS = {
    "bigquery#queryResponse": ("numDmlAffectedRows", "dmlStats"),
    "bigquery#getQueryResultsResponse": ("numDmlAffectedRows",),
}
_NOT_IN_LISTS = {"etag", "selfLink"}
_IN_FULL_PROJECTION = {"configuration", "status", "user_email"}


class JobEndpoints:
    """Accepts jobs and answers for them."""

    def __init__(self, store: Store, jobs: Jobs, uploads: Uploads) -> None:
        self._store = store
        self._jobs = jobs
        self._uploads = uploads

    def routes(self) -> list[BaseRoute]:
        base = "/bigquery/v2/projects/{project}"
        found: list[BaseRoute] = [
            Route(f"{base}/jobs", self._insert, methods=["POST"]),
            Route(f"{base}/jobs", self._list, methods=["GET"]),
            Route(f"{base}/jobs/{{job}}", self._get, methods=["GET"]),
            Route(f"{base}/jobs/{{job}}/cancel", self._cancel, methods=["POST"]),
            Route(f"{base}/jobs/{{job}}/delete", self._delete, methods=["DELETE"]),
            Route(f"{base}/queries", self._query, methods=["POST"]),
            Route(f"{base}/queries/{{job}}", self._results, methods=["GET"]),
        ]
        for prefix in ("/upload", "/resumable/upload"):
            path = f"{prefix}{base}/jobs"
            found.append(Route(path, self._upload, methods=["POST"]))
            found.append(Route(path, self._upload_chunk, methods=["PUT"]))
        return found

    async def _insert(self, request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await self._accept(request, body, {}))

    async def _accept(self, request: Request, body: Resource, private: Resource) -> Resource:
        """The job as it stands a moment after its submission: short ones are done by then.

        Clients look at a job that is not done yet only every second.
        """
        job = await run_in_threadpool(self._submit, _project(request), body, private)
        if "id" not in job:
            return job
        finished = asyncio.wrap_future(self._jobs.finished(job["id"]))
        await asyncio.wait([finished], timeout=_GRACE_S)
        return self._jobs.get(job["id"])

    def _submit(self, project: str, body: Mapping[str, Any], private: Resource) -> Resource:
        read = submission.read(self._store, project, body, uploaded="upload" in private)
        if read.dry_run:
            return self._dry_run(read)
        return self._jobs.submit(read.reference, read.configuration, private)

    def _dry_run(self, read: Submission) -> Resource:
        """A job that has no id, is done, and has written nothing."""
        project, location = read.reference["projectId"], read.reference["location"]
        if "query" not in read.configuration:
            raise unsupported("dry runs of anything but queries")
        query = query_run.dry_run(self._store, project, location, read.configuration["query"])
        return {
            "kind": "bigquery#job",
            "jobReference": {"projectId": project, "location": location},
            "configuration": read.configuration,
            "status": {"state": "DONE"},
            "statistics": {"totalBytesProcessed": query["totalBytesProcessed"], "query": query},
        }

    async def _get(self, request: Request) -> Response:
        ago = staleness(request.method, request.url.path)
        return JSONResponse(self._jobs.get_stale(self._key(request), ago))

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        states = {state.lower() for state in query.getlist("stateFilter")}
        since = int(query.get("minCreationTime") or 0)
        until = int(query.get("maxCreationTime") or _LATEST)
        ago = staleness(request.method, request.url.path)
        parent = query.get("parentJobId") or None
        found = self._jobs.listing(_project(request), states, since, until, ago, parent)
        page, token = paged(found, request)
        full = query.get("projection", "").lower() == "full"
        hidden = _NOT_IN_LISTS | (set() if full else _IN_FULL_PROJECTION)
        jobs = [{name: job[name] for name in job if name not in hidden} for job in page]
        return JSONResponse({"kind": "bigquery#jobList", "jobs": jobs, **token})

    async def _cancel(self, request: Request) -> Response:
        job = await run_in_threadpool(self._jobs.cancel, self._key(request))
        return JSONResponse({"kind": "bigquery#jobCancelResponse", "job": job})

    async def _delete(self, request: Request) -> Response:
        await run_in_threadpool(self._jobs.delete, self._key(request))
        return Response(status_code=204)

    def _key(self, request: Request) -> str:
        location = request.query_params.get("location")
        return self._jobs.find(_project(request), request.path_params["job"], location)

    async def _query(self, request: Request) -> Response:
        body = await json_body(request)
        for key, value in body.items():
            if key not in _QUERY_CONFIGURATION | _QUERY_REQUEST and value:
                raise unsupported(f"the query option {key}")
        configuration = {
            "query": {k: v for k, v in body.items() if k in _QUERY_CONFIGURATION},
            "dryRun": bool(body.get("dryRun")),
            "labels": body.get("labels") or {},
        }
        configuration = {k: v for k, v in configuration.items() if v}
        job = {
            "configuration": configuration,
            "jobReference": {"location": body.get("location")},
        }
        private = {"requestId": body["requestId"]} if body.get("requestId") else {}
        submitted = await run_in_threadpool(self._submit, _project(request), job, private)
        if body.get("dryRun"):
            statistics = submitted["statistics"]["query"]
            told = ("schema", "totalBytesProcessed", "cacheHit")
            answer = {name: statistics[name] for name in told if name in statistics}
            answer |= {"jobReference": submitted["jobReference"], "jobComplete": True}
            return JSONResponse({"kind": "bigquery#queryResponse", **answer})
        key = f"{submitted['id']}"
        format_ = {f"{_FORMAT}.{k}": str(v) for k, v in (body.get(_FORMAT) or {}).items()}
        page = rows.page_from({"maxResults": str(body.get("maxResults", "")), **format_})
        timeout = body.get("timeoutMs")
        return await self._answer("bigquery#queryResponse", key, page, timeout)

    async def _results(self, request: Request) -> Response:
        page = rows.page_from(dict(request.query_params))
        timeout = request.query_params.get("timeoutMs")
        return await self._answer(
            "bigquery#getQueryResultsResponse", self._key(request), page, timeout
        )

    async def _answer(self, kind: str, key: str, page: rows.Page, timeout: Any) -> Response:
        """Waits for the query up to the timeout, and answers with a page if it is done.

        Raises ApiError with the job's own error when the query failed.
        """
        wait_ms = _DEFAULT_WAIT_MS if timeout in (None, "") else int(timeout)
        finished = asyncio.wrap_future(self._jobs.finished(key))
        await asyncio.wait([finished], timeout=min(wait_ms, _LONGEST_WAIT_MS) / 1000)
        return JSONResponse(await run_in_threadpool(self._results_of, kind, key, page))

    def _results_of(self, kind: str, key: str, page: rows.Page) -> Resource:
        job = self._jobs.get(key)
        if job["configuration"]["jobType"] != "QUERY":
            raise ApiError(400, f"Cannot get query results of job {key}: it is not a query")
        answer: Resource = {"kind": kind, "jobReference": job["jobReference"]}
        if job["status"]["state"] != "DONE":
            return {**answer, "jobComplete": False}
        if error := job["status"].get("errorResult"):
            raise from_proto(error)
        statistics = job["statistics"]["query"]
        answer |= {
            "jobComplete": True,
            "cacheHit": False,
            "totalBytesProcessed": job["statistics"].get("totalBytesProcessed", "0"),
        }
        for name in _DML_COUNTS[kind]:
            if name in statistics:
                answer[name] = statistics[name]
        if "schema" not in statistics:
            return {**answer, "totalRows": statistics.get("numDmlAffectedRows", "0")}
        found = self._rows_of(key, job, page)
        answer |= {"schema": statistics["schema"], "totalRows": str(found.total)}
        if page.size:
            answer["rows"] = found.rows
        if found.next_token:
            answer["pageToken"] = found.next_token
        return answer

    def _rows_of(self, key: str, job: Resource, page: rows.Page) -> rows.Rows:
        """The rows a query wrote, as long as nobody has written to their table since."""
        written = (self._store.get("job", key) or {})["result"]
        total = written["rows"]
        if page.size == 0 or total <= page.start:
            return rows.Rows([], total, None)
        reference = job["configuration"]["query"]["destinationTable"]
        resource = tables.get(self._store, table_ref(reference, job["jobReference"]["projectId"]))
        if resource["revision"] != written["revision"]:
            raise unsupported("results of a query whose destination table was changed since")
        fields = schema.parse(job["statistics"]["query"]["schema"])
        window = rows.Window(written["start"], total)
        return rows.read(self._store, resource, fields, page, window)

    async def _upload(self, request: Request) -> Response:
        kind = request.query_params.get("uploadType")
        if kind == "multipart":
            job, path = await self._uploads.multipart(request)
            return JSONResponse(await self._accept(request, job, {"upload": str(path)}))
        if kind == "resumable":
            upload_id = await self._uploads.begin(request)
            url = request.url.include_query_params(upload_id=upload_id)
            return Response(headers={"Location": str(url), "X-GUploader-UploadID": upload_id})
        raise unsupported(f"uploadType={kind}")

    async def _upload_chunk(self, request: Request) -> Response:
        upload_id = request.query_params.get("upload_id", "")
        received = await self._uploads.receive(upload_id, request)
        if not received.complete:
            range_ = {"Range": f"bytes=0-{received.size - 1}"} if received.size else {}
            return Response(status_code=308, headers=range_)
        job, path = self._uploads.job(upload_id)
        return JSONResponse(await self._accept(request, job, {"upload": str(path)}))


def _project(request: Request) -> str:
    return str(request.path_params["project"])


def paged(found: list[Resource], request: Request) -> tuple[list[Resource], dict[str, str]]:
    """One page of a list, and `nextPageToken` when more follow. Raises ApiError 400."""
    try:
        start = int(request.query_params.get("pageToken") or 0)
        size = int(request.query_params.get("maxResults") or 1000)
    except ValueError as error:
        raise ApiError(400, "Invalid value for pageToken or maxResults") from error
    end = start + size
    return found[start:end], {"nextPageToken": str(end)} if end < len(found) else {}
