"""Why a row was not scored."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where in the data path a row failed."""

    READ = "read"
    VALIDATE = "validate"
    PREDICT = "predict"
    WRITE = "write"
    """The row was scored, but its table refused it; in streaming only."""


class ErrorCode(StrEnum):
    """One reason each; the values are what the dead-letter table holds in `error_code`."""

    NOT_UTF8 = "not_utf8"
    NUL_BYTE = "nul_byte"
    UNBALANCED_QUOTE = "unbalanced_quote"
    COLUMN_COUNT = "column_count"
    RECORD_TOO_LARGE = "record_too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_VALUE = "missing_value"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    NOT_ALLOWED = "not_allowed"
    PATTERN = "pattern"
    PREDICTION_FAILED = "prediction_failed"
    PREDICTION_TIMEOUT = "prediction_timeout"
    EMPTY_MESSAGE = "empty_message"
    UNREADABLE = "unreadable"
    """The reader itself fails on the message, for a reason that nobody foresaw."""
    WRONG_IDENTITY = "wrong_identity"
    """An attribute or field that should name the request, or date it, cannot."""
    WRITE_REFUSED = "write_refused"
    WRITE_FAILED = "write_failed"
    """The write failed for a passing reason until its time was over."""


REDACTED = "[redacted]"
"""Stands in a payload for the value of a field that the spec redacts; begins what stands for a
payload that could not be taken apart. Such a letter cannot be replayed."""

DEAD_LETTER_COLUMNS = (
    "score_date",
    "run_key",
    "stage",
    "error_code",
    "error_field",
    "error_message",
    "payload",
    "source_uri",
    "source_position",
    "model_version",
    "dead_at",
)
"""DATE, STRING, STRING, STRING, STRING, STRING, BYTES, STRING, INT64, STRING, TIMESTAMP."""
