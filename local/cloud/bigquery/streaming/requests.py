"""An insertAll request, read once and checked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import orjson

from local.cloud.http import ApiError, unsupported

LARGEST_BYTES = 10_485_760
# The service's front end turns far larger requests away before BigQuery sees them.
_HOPELESS_BYTES = 5 * LARGEST_BYTES
MOST_ROWS = 50_000
LONGEST_ID = 128
_KNOWN = {"kind", "rows", "skipInvalidRows", "ignoreUnknownValues", "traceId", "templateSuffix"}


@dataclass(frozen=True)
class InsertRequest:
    """Rows with their insertIds ("" where there is none)."""

    rows: list[dict[str, Any]]
    ids: list[str]
    skip_invalid: bool
    ignore_unknown: bool


def check_size(size: int) -> None:
    """Raises ApiError 400 or 413 for a request that is too large."""
    if size > _HOPELESS_BYTES:
        raise ApiError(413, "Request Too Large", "requestTooLarge")
    if size > LARGEST_BYTES:
        message = f"Request payload size exceeds the limit: {LARGEST_BYTES} bytes."
        raise ApiError(400, message, "badRequest")


def unpacked(raw: bytes, encoding: str) -> bytes:
    """The body as JSON text. Raises ApiError 400 for damaged gzip, 501 for other encodings."""
    if encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise unsupported(f"the content encoding {encoding}")
    try:
        body = zlib.decompressobj(wbits=31).decompress(raw, _HOPELESS_BYTES + 1)
    except zlib.error as error:
        raise ApiError(400, f"the request body is not gzip: {error}", "badRequest") from error
    check_size(len(body))
    return body


def parse(raw: bytes) -> InsertRequest:
    """Raises ApiError 400 for what is no insertAll request, 501 for templateSuffix."""
    try:
        body = orjson.loads(raw)
    except ValueError as error:
        raise ApiError(400, f"Invalid JSON payload received. {error}", "parseError") from error
    if not isinstance(body, dict) or not isinstance(body.get("rows", []), list):
        raise ApiError(400, "Invalid value at 'rows'", "parseError")
    if body.get("templateSuffix"):
        raise unsupported("templateSuffix")
    for key in body.keys() - _KNOWN:
        message = f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'
        raise ApiError(400, message, "badRequest")
    rows = body.get("rows") or []
    if not rows:
        raise ApiError(400, "No rows present in the request.")
    if len(rows) > MOST_ROWS:
        count = f"limit: {MOST_ROWS} row count: {len(rows)}."
        raise ApiError(400, f"too many rows present in the request, {count}")
    try:
        contents = [row["json"] for row in rows]
        ids = [row.get("insertId") or "" for row in rows]
    except (KeyError, TypeError, AttributeError) as error:
        raise ApiError(400, "Invalid value at 'rows': each row needs a 'json' object") from error
    if set(map(type, contents)) != {dict} or set(map(type, ids)) != {str}:
        raise ApiError(400, "Invalid value at 'rows': 'json' is an object, 'insertId' a string")
    if max(map(len, ids)) > LONGEST_ID:
        raise ApiError(400, f"insertId is longer than {LONGEST_ID} characters")
    return InsertRequest(
        contents, ids, bool(body.get("skipInvalidRows")), bool(body.get("ignoreUnknownValues"))
    )
