"""A job resource as clients send it, checked before its id is used up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local.cloud.bigquery import copies
from local.cloud.bigquery.datasets import DEFAULT_LOCATION, normal_location
from local.cloud.bigquery.extracts import config as extract_config
from local.cloud.bigquery.kept import as_kept
from local.cloud.bigquery.loads import config as load_config
from local.cloud.bigquery.names import DatasetRef
from local.cloud.bigquery.queries import config as query_config
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.store import Store
from local.cloud.http import ApiError, unsupported

_JOB_OPTIONS = {
    "copy", "dryRun", "extract", "jobTimeoutMs", "jobType", "labels", "load", "query",
}  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """Under which reference a job shall run, and its configuration with the job's type."""

    reference: dict[str, Any]
    configuration: dict[str, Any]

    @property
    def dry_run(self) -> bool:
        return bool(self.configuration.get("dryRun"))


def read(store: Store, project: str, job: Mapping[str, Any], *, uploaded: bool) -> Submission:
    """Raises ApiError 400 for a job that could never run, 501 for kinds of jobs we do not have."""
    configuration = dict(as_kept(job.get("configuration") or {}))
    for key, value in configuration.items():
        if key not in _JOB_OPTIONS and value:
            raise unsupported(f"{key} jobs")
    datasets: list[DatasetRef]
    if load := configuration.get("load"):
        loading = load_config.parse(load, project)
        if not loading.uris and not uploaded:
            raise ApiError(400, "Required parameter is missing: sourceUris")
        datasets = [loading.write.destination.table.in_dataset]
        kind = "LOAD"
    elif query := configuration.get("query"):
        datasets = _datasets_of_query(query_config.parse(query, project), project)
        kind = "QUERY"
    elif copy := configuration.get("copy"):
        datasets = [copies.parse(copy, project).destination.table.in_dataset]
        kind = "COPY"
    elif extract := configuration.get("extract"):
        datasets = [extract_config.parse(extract, project).source.table.in_dataset]
        kind = "EXTRACT"
    else:
        raise ApiError(400, "Required parameter is missing: configuration")
    reference = dict(job.get("jobReference") or {})
    location = reference.get("location") or _location_of(store, datasets)
    reference |= {"projectId": project, "location": normal_location(location)}
    return Submission(reference, {**configuration, "jobType": kind})


def _location_of(store: Store, datasets: list[DatasetRef]) -> str:
    """A job without a location runs where its data is."""
    for dataset in datasets:
        resource = store.get("dataset", str(dataset))
        if resource is not None:
            return str(resource["location"])
    return DEFAULT_LOCATION


def _datasets_of_query(config: query_config.QueryConfig, project: str) -> list[DatasetRef]:
    found = [config.write.destination.table.in_dataset] if config.write else []
    if config.default_dataset:
        found.append(config.default_dataset)
    try:
        trees = translation.statements(config.query)
    except ApiError:
        return found  # the job will say what is wrong with the query
    named = [table for tree in trees for table in tree.find_all(exp.Table) if table.db]
    return found + [DatasetRef(table.catalog or project, table.db) for table in named]
