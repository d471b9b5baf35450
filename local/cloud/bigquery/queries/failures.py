"""DuckDB's complaints about a query, as BigQuery's errors."""

from __future__ import annotations

import re

import duckdb

from local.cloud.bigquery.errors import invalid_query
from local.cloud.http import ApiError, unsupported

_NO_FUNCTION = re.compile(r"Function with name (\w+) does not exist", re.IGNORECASE)
_NOT_SUPPORTED = re.compile(r"not supported by the local cloud: (.*)")
_NO_COLUMN = re.compile(r'(?:Referenced column|column named) "([^"]+)"')
_NOT_NULL = re.compile(r"NOT NULL constraint failed: [^.\s]+\.(\S+)")


def query_failure(error: duckdb.Error) -> ApiError:
    """A function DuckDB lacks is a feature we lack; all else is the query's or the data's fault."""
    text = str(error)
    if match := _NO_FUNCTION.search(text):
        return unsupported(f"the function {match[1].upper()}")
    if match := _NOT_SUPPORTED.search(text):
        return unsupported(match[1])
    if match := _NO_COLUMN.search(text):
        return invalid_query(f"Unrecognized name: {match[1]}")
    if match := _NOT_NULL.search(text):
        return invalid_query(f"Required field {match[1]} cannot be null")
    first = text.split("\n\nLINE")[0].strip()
    return invalid_query(re.sub(r"^[\w ]+ Error: ", "", first))
