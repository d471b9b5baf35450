"""Each method of each API once, as google-api-python-client calls it from Google's own discovery
documents; its answer is compared with the same documents (see `observed_cloud`)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import requests
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery
from googleapiclient.http import MediaIoBaseUpload
from starlette.routing import Route

from local.cloud.config import CloudConfig
from local.cloud.server import application, assemble
from local.cloud.storage.store import ObjectStore
from tests.support.discovery import document, method_of
from tests.support.local_cloud import PROJECT, WORKER_IMAGE, ObservedCloud

DATASET = {"projectId": PROJECT, "datasetId": "shapes"}
TABLE = {**DATASET, "tableId": "rows"}
SCHEMA = {"fields": [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]}
JOB = {"projectId": PROJECT, "location": "us-central1"}


def client(api: str, url: str) -> Any:
    """By the document, since with `api_endpoint` uploads would still go to https."""
    return discovery.build_from_document(
        document(api) | {"rootUrl": f"{url}/"}, credentials=AnonymousCredentials()
    )


def call(method: Any, **arguments: Any) -> Any:
    return method(**arguments).execute()


def media(content: bytes, *, resumable: bool = False) -> MediaIoBaseUpload:
    return MediaIoBaseUpload(io.BytesIO(content), "application/octet-stream", resumable=resumable)


def test_every_method_answers_as_google_describes_it_or_is_refused(
    fresh_cloud: ObservedCloud, tmp_path: Path
) -> None:
    url = fresh_cloud.url
    call_storage(client("storage.v1", url))
    call_bigquery(client("bigquery.v2", url))
    call_dataflow(client("dataflow.v1b3", url).projects())
    call_monitoring(client("monitoring.v3", url).projects())
    call_vertex(client("aiplatform.v1", url).projects().locations())
    fresh_cloud.verify()
    answered = fresh_cloud.methods_answered
    assert len(answered) > 50
    for name, (http, path) in methods_served(tmp_path / "unused").items():
        if name not in answered:
            assert status(url + path, http) == 501, name


def methods_served(folder: Path) -> dict[str, tuple[str, str]]:
    """The routes of a server, by what Google calls them: HTTP method and path."""
    objects = ObjectStore(folder / "storage")
    routes = application(assemble(CloudConfig(folder, port=0), objects)).routes
    objects.close()
    served = {}
    for route in routes:
        assert isinstance(route, Route)
        path = route.path_format.format_map(dict.fromkeys(route.param_convertors, "x"))
        for http in (route.methods or set()) - {"HEAD"}:
            if found := method_of(http, path):
                served[found.id] = (http, path)
    return served


def status(url: str, http: str) -> int:
    return requests.request(http, url, timeout=60).status_code


def call_storage(storage: Any) -> None:
    buckets, objects = storage.buckets(), storage.objects()
    call(buckets.insert, project=PROJECT, body={"name": "shapes", "labels": {"team": "night"}})
    call(buckets.patch, bucket="shapes", body={"labels": {"team": "day"}})
    call(buckets.get, bucket="shapes")
    call(buckets.list, project=PROJECT)
    call(buckets.getStorageLayout, bucket="shapes")
    call(storage.managedFolders().list, bucket="shapes")
    for name in ("a/one", "a/two", "b"):
        call(objects.insert, bucket="shapes", name=name, media_body=media(b"{}"))
    call(objects.insert, bucket="shapes", name="c", media_body=media(b"{}", resumable=True))
    call(objects.get, bucket="shapes", object="a/one")
    call(objects.list, bucket="shapes", delimiter="/")
    call(objects.patch, bucket="shapes", object="b", body={"metadata": {"k": "v"}})
    call(objects.update, bucket="shapes", object="b", body={"contentType": "text/plain"})
    parts = {"sourceObjects": [{"name": "a/one"}, {"name": "a/two"}]}
    call(objects.compose, destinationBucket="shapes", destinationObject="both", body=parts)
    there = {"sourceBucket": "shapes", "sourceObject": "b", "destinationBucket": "shapes"}
    call(objects.copy, **there, destinationObject="copied", body={})
    call(objects.rewrite, **there, destinationObject="rewritten", body={})
    call(objects.move, bucket="shapes", sourceObject="copied", destinationObject="moved")
    for item in call(objects.list, bucket="shapes")["items"]:
        call(objects.delete, bucket="shapes", object=item["name"])
    call(buckets.delete, bucket="shapes")


def call_bigquery(bigquery: Any) -> None:
    call(bigquery.projects().list)
    call_catalog(bigquery.datasets(), bigquery.tables())
    call_rows(bigquery.tabledata())
    call_jobs(bigquery.jobs())
    call(bigquery.tables().delete, **TABLE)
    call(bigquery.datasets().delete, **DATASET, deleteContents=True)


def call_catalog(datasets: Any, tables: Any) -> None:
    lifetime = {"defaultTableExpirationMs": 86_400_000}
    call(datasets.insert, projectId=PROJECT, body={"datasetReference": DATASET, **lifetime})
    call(datasets.patch, **DATASET, body={"labels": {"team": "night"}})
    call(datasets.update, **DATASET, body={"description": "of a test"})
    call(datasets.get, **DATASET)
    call(datasets.list, projectId=PROJECT)
    call(
        tables.insert,
        **DATASET,
        body={"tableReference": TABLE, "schema": SCHEMA, "clustering": {"fields": ["s"]}},
    )
    call(tables.patch, **TABLE, body={"labels": {"team": "night"}})
    call(tables.update, **TABLE, body={"description": "of a test", "schema": SCHEMA})
    view = {"query": "SELECT n FROM shapes.rows WHERE n < 2", "useLegacySql": False}
    reference = {**DATASET, "tableId": "few"}
    call(tables.insert, **DATASET, body={"tableReference": reference, "view": view})
    call(tables.list, **DATASET)
    call(tables.get, **TABLE)


def call_rows(tabledata: Any) -> None:
    rows = [{"insertId": str(n), "json": {"n": n, "s": "a"}} for n in range(3)]
    wrong = {"json": {"n": "no number", "x": 1}}
    call(tabledata.insertAll, **TABLE, body={"rows": rows})
    call(tabledata.insertAll, **TABLE, body={"rows": [wrong], "skipInvalidRows": True})
    page = call(tabledata.list, **TABLE, maxResults=2)
    call(tabledata.list, **TABLE, pageToken=page["pageToken"])


def call_jobs(jobs: Any) -> None:
    load = {"destinationTable": TABLE, "sourceFormat": "NEWLINE_DELIMITED_JSON"}
    content = b'{"n": 4, "s": "b"}\n'
    for resumable in (False, True):
        body = {"configuration": {"load": load, "jobTimeoutMs": 60_000}}
        uploaded = media(content, resumable=resumable)
        loaded = call(jobs.insert, projectId=PROJECT, body=body, media_body=uploaded)
    call(jobs.getQueryResults, projectId=PROJECT, jobId=query(jobs, "SELECT n, s FROM shapes.rows"))
    query(jobs, "CREATE TABLE shapes.others AS SELECT 1 AS n, 'a' AS s")
    query(jobs, "UPDATE shapes.others SET n = 2 WHERE s = 'a'")
    query(jobs, "SELECT missing FROM shapes.rows")
    statement = {"query": "SELECT COUNT(*) FROM shapes.rows", "useLegacySql": False}
    call(jobs.query, projectId=PROJECT, body=statement)
    call(jobs.query, projectId=PROJECT, body={**statement, "dryRun": True})
    for projection in ("full", "minimal"):
        call(jobs.list, projectId=PROJECT, allUsers=True, projection=projection)
    for method in (jobs.get, jobs.cancel, jobs.delete):
        call(method, projectId=PROJECT, jobId=loaded["jobReference"]["jobId"])


def query(jobs: Any, statement: str) -> str:
    """Runs a query job to its end, be it an error; answers its id."""
    body = {"configuration": {"query": {"query": statement, "useLegacySql": False}}}
    job = call(jobs.insert, projectId=PROJECT, body=body)
    while job["status"]["state"] != "DONE":
        job = call(jobs.get, projectId=PROJECT, jobId=job["jobReference"]["jobId"])
    return str(job["jobReference"]["jobId"])


def call_dataflow(projects: Any) -> None:
    """A job without a pipeline: it fails, in Google's shape."""
    body = {
        "name": "shapes",
        "type": "JOB_TYPE_BATCH",
        "environment": {"sdkPipelineOptions": {"options": {"pipelineUrl": "gs://no/pipeline.pb"}}},
    }
    for which in (projects, projects.locations()):
        place = JOB if which is not projects else {"projectId": PROJECT}
        jobs = which.jobs()
        job = {**place, "jobId": call(jobs.create, **place, body=body)["id"]}
        call(jobs.get, **job, view="JOB_VIEW_ALL")
        call(jobs.list, **place, filter="ALL")
        call(jobs.getMetrics, **job)
        call(jobs.messages().list, **job)
        call(jobs.update, **job, body={"requestedState": "JOB_STATE_CANCELLED"})
    call(projects.jobs().aggregated, projectId=PROJECT)
    template = {
        "image": "apache/beam_python3.11_sdk:2.77.0",
        "sdkInfo": {"language": "PYTHON"},
        "metadata": {"name": "some.module"},
    }
    launch = {"launchParameter": {"jobName": "shapes", "containerSpec": template}}
    templates = projects.locations().flexTemplates()
    call(templates.launch, **JOB, body={**launch, "validateOnly": True})


def call_monitoring(projects: Any) -> None:
    project, metric = f"projects/{PROJECT}", "dataflow.googleapis.com/job/system_lag"
    call(projects.metricDescriptors().list, name=project)
    call(projects.metricDescriptors().get, name=f"{project}/metricDescriptors/{metric}")
    resources = projects.monitoredResourceDescriptors()
    call(resources.list, name=project)
    call(resources.get, name=f"{project}/monitoredResourceDescriptors/dataflow_job")
    call(
        projects.timeSeries().list,
        name=project,
        filter=f'metric.type = "{metric}"',
        interval_startTime="2026-01-01T00:00:00Z",
        interval_endTime="2026-01-01T00:10:00Z",
    )


def call_vertex(locations: Any) -> None:
    place = f"projects/{PROJECT}/locations/us-central1"
    model = call_vertex_models(locations.models(), place)
    call_vertex_endpoints(locations.endpoints(), place, model)
    deleted = call(locations.models().delete, name=model)
    call(locations.models().operations().wait, name=deleted["name"])
    call(locations.operations().list, name=place)


def call_vertex_models(models: Any, place: str) -> str:
    """The model of a tiny container."""
    operations, evaluations = models.operations(), models.evaluations()
    container = {
        "imageUri": WORKER_IMAGE,
        "command": ["python", "-m", "tests.support.tiny_container"],
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "MARK", "value": "one"}],
    }
    body: dict[str, Any] = {"model": {"displayName": "m", "containerSpec": container}}
    made = call(models.upload, parent=place, body=body)
    model = call(operations.wait, name=made["name"])["response"]["model"]
    second = call(models.upload, parent=place, body={**body, "parentModel": model})
    call(operations.wait, name=second["name"])
    aliases = {"versionAliases": ["champion", "default"]}
    call(models.mergeVersionAliases, name=f"{model}@2", body=aliases)
    call(models.get, name=f"{model}@champion")
    call(models.patch, name=model, updateMask="labels", body={"labels": {"team": "night"}})
    call(models.list, parent=place)
    call(models.listVersions, name=model)
    body = {"modelEvaluation": {"displayName": "e", "metrics": {"meanAbsoluteError": 1.5}}}
    evaluation = call(evaluations.import_, parent=model, body=body)
    call(evaluations.get, name=evaluation["name"])
    call(evaluations.list, parent=model)
    gone = call(models.deleteVersion, name=f"{model}@1")
    call(operations.get, name=gone["name"])
    call(operations.list, name=model)
    call(operations.delete, name=second["name"])
    return str(model)


def call_vertex_endpoints(endpoints: Any, place: str, model: str) -> None:
    operations = endpoints.operations()
    made = call(endpoints.create, parent=place, body={"displayName": "e", "labels": {"a": "b"}})
    endpoint = call(operations.wait, name=made["name"])["response"]["name"]
    resources = {"machineSpec": {"machineType": "m"}, "minReplicaCount": 1}
    deployed = {"model": model, "dedicatedResources": resources}
    body = {"deployedModel": deployed, "trafficSplit": {"0": 100}}
    begun = call(endpoints.deployModel, endpoint=endpoint, body=body)
    done = call(operations.wait, name=begun["name"], timeout="30s")
    call(endpoints.patch, name=endpoint, updateMask="description", body={"description": "d"})
    call(endpoints.get, name=endpoint)
    call(endpoints.list, parent=place)
    call(endpoints.predict, endpoint=endpoint, body={"instances": [{"x": 1}]})
    call(endpoints.rawPredict, endpoint=endpoint, body={"instances": [{"x": 1}]})
    body = {"deployedModelId": done["response"]["deployedModel"]["id"]}
    gone = call(endpoints.undeployModel, endpoint=endpoint, body=body)
    call(operations.wait, name=gone["name"])
    call(operations.list, name=endpoint)
    call(operations.delete, name=made["name"])
    deleted = call(endpoints.delete, name=endpoint)
    call(operations.get, name=deleted["name"])
