"""A BigQuery client that takes rows already encoded."""

from __future__ import annotations

from typing import Any

from google.cloud import bigquery
from requests.adapters import HTTPAdapter

TIMEOUT_S = 30.0
_CONNECTIONS = 64
"""Kept open per process; a worker writes from many threads."""


class InsertClient(bigquery.Client):
    """`insert_rows_json` with the body made by the caller.

    The library's own encodes with the standard library's json, which takes as long as all the rest;
    and a caller who encodes knows the size of the request.
    """

    def __init__(self, project: str) -> None:
        super().__init__(project=project)
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))

    def insert_encoded(self, table: bigquery.TableReference, body: bytes) -> list[dict[str, Any]]:
        """One insertAll request; its `insertErrors`.

        Raises GoogleAPICallError, requests.RequestException or GoogleAuthError.
        """
        answer = self._connection.api_request(
            method="POST",
            path=f"{table.path}/insertAll",
            data=body,
            content_type="application/json",
            timeout=TIMEOUT_S,
        )
        errors: list[dict[str, Any]] = answer.get("insertErrors", [])
        return errors
