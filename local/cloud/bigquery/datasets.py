"""Datasets: insert, get, list, patch, update, delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.cloud.bigquery.errors import already_exists, not_found
from local.cloud.bigquery.names import DatasetRef, dataset_ref
from local.cloud.bigquery.resources import (
    check_etag,
    merged_labels,
    now_ms,
    tables_in,
    touched,
)
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError, unsupported

DEFAULT_LOCATION = "US"
_KEPT = {
    "access",
    "defaultPartitionExpirationMs",
    "defaultTableExpirationMs",
    "description",
    "friendlyName",
    "labels",
}
_FIXED = {"datasetReference", "location", "kind", "id", "etag", "selfLink", "type"} | {
    "creationTime",
    "lastModifiedTime",
    "isCaseInsensitive",
}
_LABEL = re.compile(r"labels\.([^:\s]+)(?::(\S+))?")


def get(store: Store, ref: DatasetRef) -> Resource:
    """Raises ApiError 404."""
    resource = store.get("dataset", str(ref))
    if resource is None:
        raise not_found("Dataset", ref)
    return resource


def insert(store: Store, project: str, body: Mapping[str, Any]) -> Resource:
    ref = dataset_ref(body.get("datasetReference") or {}, project)
    _check_known(body)
    with store.locked(ref.project), store.transaction() as tx:
        other = store.spelled("dataset", str(ref))
        if other == str(ref):
            raise already_exists("Dataset", ref)
        if other is not None:
            raise unsupported(f"two datasets whose names differ only in case ({other}, {ref})")
        resource: Resource = {
            "kind": "bigquery#dataset",
            "id": str(ref),
            "selfLink": f"/bigquery/v2/projects/{ref.project}/datasets/{ref.dataset}",
            "datasetReference": ref.to_json(),
            "location": normal_location(body.get("location")),
            "type": "DEFAULT",
            "creationTime": now_ms(),
            "access": [],
        }
        resource = _changed(resource, body)
        tx.execute(f"CREATE SCHEMA {ref.physical}")
        tx.put("dataset", str(ref), resource)
    return resource


def patch(
    store: Store, ref: DatasetRef, body: Mapping[str, Any], if_match: str | None, *, replace: bool
) -> Resource:
    """Changes the fields given; `replace` (update) drops the settings that are not given."""
    _check_known(body)
    with store.locked(ref.project), store.transaction() as tx:
        resource = get(store, ref)
        check_etag(resource, if_match)
        if body.get("location") and normal_location(body["location"]) != resource["location"]:
            raise ApiError(400, f"Cannot change the location of dataset {ref}")
        if replace:
            resource = {k: v for k, v in resource.items() if k not in _KEPT - {"access"}}
        resource = _changed(resource, body)
        tx.put("dataset", str(ref), resource)
    return resource


def delete(store: Store, ref: DatasetRef, *, contents: bool) -> None:
    """Raises ApiError 400 resourceInUse when tables remain and `contents` is false."""
    with store.locked(ref.project):
        get(store, ref)
        inside = tables_in(store, ref)
        if inside and not contents:
            raise ApiError(400, f"Dataset {ref} is still in use", "resourceInUse")
        with store.locked(*inside), store.transaction() as tx:
            for table in inside:
                tx.hold(buffer.lock_name(table))
                tx.remove("table", str(table))
            tx.execute(f"DROP SCHEMA {ref.physical} CASCADE")
            tx.remove("dataset", str(ref))


def listing(store: Store, project: str, filter_: str, *, hidden: bool) -> list[Resource]:
    """Datasets of a project that carry all labels of `filter_` (`labels.key:value ...`)."""
    wanted = _label_filter(filter_)
    return [
        _summary(resource)
        for resource in store.all("dataset").values()
        if resource["datasetReference"]["projectId"] == project
        and (hidden or not resource["datasetReference"]["datasetId"].startswith("_"))
        and all(_has_label(resource, key, value) for key, value in wanted)
    ]


def _check_known(body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        if key not in _KEPT | _FIXED and value not in (None, "", {}, []):
            raise unsupported(f"the dataset option {key}")


def _changed(resource: Resource, body: Mapping[str, Any]) -> Resource:
    changed = touched(resource)
    for key in _KEPT & body.keys():
        number = key.endswith("Ms") and body[key] is not None
        changed[key] = str(body[key]) if number else body[key]
    if isinstance(body.get("labels"), Mapping):
        changed["labels"] = merged_labels(resource.get("labels", {}), body["labels"])
    return {k: v for k, v in changed.items() if v is not None}


def normal_location(location: object) -> str:
    """Multi-regions are upper case, regions lower case, as the service answers."""
    text = str(location or DEFAULT_LOCATION)
    return text.upper() if text.upper() in {"US", "EU"} else text.lower()


def _summary(resource: Resource) -> Resource:
    kept = ("kind", "id", "datasetReference", "labels", "friendlyName", "location")
    return {key: resource[key] for key in kept if key in resource}


def _label_filter(filter_: str) -> list[tuple[str, str | None]]:
    wanted = []
    for word in filter_.split():
        if word.upper() == "AND":
            continue
        match = _LABEL.fullmatch(word)
        if not match:
            raise ApiError(400, f"Invalid filter: {filter_}")
        wanted.append((match[1], match[2]))
    return wanted


def _has_label(resource: Resource, key: str, value: str | None) -> bool:
    labels = resource.get("labels", {})
    return key in labels and (value is None or labels[key] == value)
