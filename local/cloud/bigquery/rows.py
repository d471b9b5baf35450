"""Pages of a stored table's rows, for tabledata.list and query results alike."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from local.cloud.bigquery import values
from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.schema import Schema, by_name
from local.cloud.bigquery.store import Resource, Store
from local.cloud.http import ApiError, unsupported

DEFAULT_PAGE = 10_000
LARGEST_PAGE = 100_000


@dataclass(frozen=True)
class Page:
    """Which rows a client asks for, in the order the table holds them."""

    start: int = 0
    size: int = DEFAULT_PAGE
    int64_timestamps: bool = False


@dataclass(frozen=True)
class Window:
    """Which of a table's rows are meant: those of a condition, or `total` rows from `first` on."""

    first: int = 0
    total: int | None = None
    condition: str | None = None


@dataclass(frozen=True)
class Rows:
    """One page: encoded rows, the table's row count, and the token of the next page."""

    rows: list[dict[str, Any]]
    total: int
    next_token: str | None


def page_from(query: dict[str, str]) -> Page:
    """Reads maxResults, pageToken, startIndex and formatOptions. Raises ApiError 400 or 501."""
    if query.get("formatOptions.timestampOutputFormat", "FLOAT64") not in ("FLOAT64", "INT64"):
        raise unsupported("formatOptions.timestampOutputFormat other than FLOAT64 and INT64")
    int64 = query.get("formatOptions.useInt64Timestamp", "").lower() == "true"
    int64 = int64 or query.get("formatOptions.timestampOutputFormat") == "INT64"
    try:
        token = query.get("pageToken")
        start = _offset(token) if token else int(query.get("startIndex") or 0)
        asked = query.get("maxResults")
        size = int(asked) if asked not in (None, "", "None") else DEFAULT_PAGE
    except (ValueError, binascii.Error) as error:
        raise ApiError(400, "Invalid value for pageToken, startIndex or maxResults") from error
    return Page(start, min(size, LARGEST_PAGE), int64)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode().rstrip("=")


def _offset(token: str) -> int:
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    return int(text.removeprefix("row:"))


def selected(schema: Schema, names: str) -> Schema:
    """The fields of `selectedFields` (a comma-separated list), or all. Raises ApiError 400."""
    if not names:
        return schema
    known = by_name(schema)
    wanted = [name.strip().lower() for name in names.split(",")]
    for name in wanted:
        if "." in name:
            raise unsupported("selectedFields inside a RECORD")
        if name not in known:
            raise ApiError(400, f"No such field: {name}.")
    return tuple(field for field in schema if field.name.lower() in wanted)


def read(store: Store, resource: Resource, schema: Schema, page: Page, window: Window) -> Rows:
    """One page of the window's rows, at one moment of the table."""
    if resource["type"] == "VIEW":
        raise ApiError(400, f"Cannot list a table of type VIEW: {resource['id']}")
    return read_relation(store, table_of(resource).physical, schema, page, window)


def read_relation(store: Store, relation: str, schema: Schema, page: Page, window: Window) -> Rows:
    """The same of any DuckDB relation with these columns."""
    where = f"{relation} WHERE {window.condition or 'true'}"
    with store.reading() as cursor:
        total = window.total
        if total is None:
            [(total,)] = cursor.execute(f"SELECT count(*) FROM {where}").fetchall()
        size = min(page.size, total - page.start)
        if not schema or size <= 0:
            return Rows([], total, None)
        columns = ", ".join(_column(f.name, repeated=f.mode == "REPEATED") for f in schema)
        found = cursor.sql(
            f"SELECT {columns} FROM {where} LIMIT {size} OFFSET {window.first + page.start}"
        ).to_arrow_table()
    rows = values.encode_rows(found, schema, int64_timestamps=page.int64_timestamps)
    end = page.start + len(rows)
    return Rows(rows, total, _token(end) if end < total and rows else None)


def _column(name: str, *, repeated: bool) -> str:
    # BigQuery has no null array: it reads as an empty one.
    return f"coalesce({quoted(name)}, [])" if repeated else quoted(name)
