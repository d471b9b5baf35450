"""Points in time as requests name them: ISO 8601, or milliseconds since the epoch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.casting import BooleanTokens, Mask, cast

UTC_INSTANT = pa.timestamp("us", "UTC")

_FIRST = np.datetime64("0001-01-01T00:00:00.000000").astype(np.int64)
_LAST = np.datetime64("9999-12-31T23:59:59.999999").astype(np.int64)
_MILLISECONDS = r"^-?\d{1,15}$"


def from_text(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """The instants, UTC, and which texts are none, or none that BigQuery's TIMESTAMP holds.

    Those are null in the result; a null or empty text is null and no mistake. ISO 8601 as in
    `contract.casting`.
    """
    nothing = pa.scalar(None, pa.string())
    texts = pc.if_else(pc.equal(texts, ""), nothing, texts)
    numeric = pc.fill_null(pc.match_substring_regex(texts, _MILLISECONDS), False)
    if not numeric.true_count:
        iso, failed = cast(texts, "timestamp", BooleanTokens())
        return _storable(iso, failed)
    iso, failed = cast(pc.if_else(numeric, nothing, texts), "timestamp", BooleanTokens())
    epoch, outside = from_milliseconds(pc.if_else(numeric, texts, nothing).cast(pa.int64()))
    iso, wrong = _storable(iso, failed)
    return pc.coalesce(iso, epoch), wrong | outside


def from_milliseconds(values: pa.Array) -> tuple[pa.Array, Mask]:
    """The same of integers."""
    least, most = _FIRST // 1_000, _LAST // 1_000
    inside = pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most))
    kept = pc.if_else(inside, values, pa.scalar(None, pa.int64()))
    return pc.multiply(kept, 1_000).cast(UTC_INSTANT), _mask(pc.invert(inside))


def from_timestamps(values: pa.Array) -> tuple[pa.Array, Mask]:
    """The same of timestamps, which may lie where BigQuery has no time."""
    return _storable(values, None)


def _storable(values: pa.Array, failed: Mask | None) -> tuple[pa.Array, Mask]:
    micros = values.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(micros, _FIRST), pc.less_equal(micros, _LAST))
    outside = _mask(pc.invert(inside))
    if outside.any():
        values = pc.if_else(inside, values, pa.scalar(None, UTC_INSTANT))
    return values, outside if failed is None else outside | failed


def _mask(flags: pa.BooleanArray) -> Mask:
    mask: Mask = np.asarray(flags.fill_null(False).to_numpy(zero_copy_only=False))
    return mask
