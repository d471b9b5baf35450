"""What the local cloud holds from the start: the environment's buckets and its dataset."""

from __future__ import annotations

from typing import Any

from local.stack.errors import StackError
from local.stack.http import loopback_session
from local.stack.settings import Names


def create_resources(cloud_url: str, names: Names) -> None:
    """Create what is missing. Raises StackError when the local cloud refuses."""
    for bucket in names.buckets:
        url = f"{cloud_url}/storage/v1/b?project={names.project}"
        _create(url, {"name": bucket, "location": names.location})
    reference = {"projectId": names.project, "datasetId": names.dataset}
    _create(
        f"{cloud_url}/bigquery/v2/projects/{names.project}/datasets",
        {"datasetReference": reference, "location": names.location},
    )


def _create(url: str, body: dict[str, Any]) -> None:
    with loopback_session() as session:
        response = session.post(url, json=body, timeout=30)
    exists = response.status_code == 409
    if not (response.ok or exists):
        raise StackError(
            f"the local cloud refused {body}: {response.status_code} {response.text[:300]}",
            "see `make logs`, component cloud",
        )
