"""What datasets and tables have in common: times, etags, labels, and which table is in which."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from local.cloud.bigquery.names import DatasetRef, TableRef
from local.cloud.bigquery.store import Resource, Store
from local.cloud.http import ApiError


def now_ms() -> str:
    """Milliseconds since the epoch, as the REST API writes 64-bit numbers: in digits."""
    return str(time.time_ns() // 1_000_000)


def touched(resource: Resource) -> Resource:
    """The resource with a new etag and modification time: its settings changed."""
    return {**resource, "lastModifiedTime": now_ms(), "etag": secrets.token_urlsafe(16)}


def rewritten(resource: Resource) -> Resource:
    """The table's resource with a new modification time and revision: its rows changed.

    The etag stays, as it does in the service; the revision is ours and never leaves the server.
    """
    return {**resource, "lastModifiedTime": now_ms(), "revision": secrets.token_hex(8)}


def check_etag(resource: Resource, if_match: str | None) -> None:
    """Raises ApiError 412 when the client last saw another version."""
    if if_match and if_match != resource["etag"]:
        raise ApiError(412, "Precondition check failed.", "conditionNotMet")


def merged_labels(old: Mapping[str, str], new: Mapping[str, Any]) -> dict[str, str]:
    """Labels after a patch: a null value removes its label."""
    return {k: v for k, v in {**old, **new}.items() if v is not None}


def table_of(resource: Resource) -> TableRef:
    reference = resource["tableReference"]
    return TableRef(reference["projectId"], reference["datasetId"], reference["tableId"])


def tables_in(store: Store, dataset: DatasetRef) -> list[TableRef]:
    found = (table_of(resource) for resource in store.all("table").values())
    return sorted(table for table in found if table.in_dataset == dataset)
