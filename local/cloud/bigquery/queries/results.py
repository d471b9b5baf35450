"""The temporary tables that hold query results until they expire, as the service's do."""

from __future__ import annotations

import secrets

from local.cloud.bigquery import datasets
from local.cloud.bigquery.names import DatasetRef, Target
from local.cloud.bigquery.store import Store
from local.cloud.bigquery.writes import Write
from local.cloud.http import ApiError

LIFETIME_MS = 24 * 60 * 60 * 1000
_PREFIX = "_results_"


def new_write(store: Store, project: str, location: str) -> Write:
    """Where a query without a destination writes: a table of its own in a hidden dataset."""
    dataset = DatasetRef(project, _PREFIX + location.lower().replace("-", "_"))
    if store.get("dataset", str(dataset)) is None:
        body = {"datasetReference": dataset.to_json(), "location": location}
        try:
            datasets.insert(store, project, {**body, "defaultTableExpirationMs": str(LIFETIME_MS)})
        except ApiError as error:
            if error.code != 409:
                raise
    ref = dataset.table(f"anon{secrets.token_hex(16)}")
    return Write(Target(ref), "WRITE_EMPTY", "CREATE_IF_NEEDED", False, False, {})
