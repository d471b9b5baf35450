"""What became of one insertAll request: a pure reading of BigQuery's answer, or of an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError

from beam_jobs.inserts.patience import retry_after_seconds

_PASSING_REASONS = frozenset(
    {"timeout", "backendError", "internalError", "rateLimitExceeded", "quotaExceeded"}
)
_STOPPED = "stopped"
"""Reason of a row that was not inserted because another row of its request is bad."""

_UNKNOWN_COLUMN = "no such field"
"""How the message of an `invalid` row begins whose table lacks one of its columns."""
_COLUMN_REMEDY = (
    "add the column to the table (action start of the service's streaming DAG does it); BigQuery "
    "takes some minutes until inserts know a new one"
)

_BAD_REQUEST, _TOO_LARGE = 400, 413
_REMEDIES = {
    401: "give the workers a service account with valid credentials",
    403: "grant the workers' service account roles/bigquery.dataEditor on the dataset, and see "
    "that the project has billing",
    404: "create the dataset and the table, or correct their names in the environment",
}


@dataclass(frozen=True)
class RowError:
    """Why BigQuery does not take a row."""

    reason: str
    message: str
    location: str | None = None
    """The column, where BigQuery names it."""


@dataclass(frozen=True)
class Answered:
    """Rows by their index in the request; those not named are inserted."""

    refused: Mapping[int, RowError]
    again: tuple[int, ...] = ()
    """Not inserted for no fault of their own."""


@dataclass(frozen=True)
class Refused:
    """BigQuery does not take the request as it is; which of its rows is to blame is not said."""

    error: RowError


@dataclass(frozen=True)
class Unavailable:
    """Nothing was inserted, or that is unknown; no row is to blame."""

    message: str
    retry_after: float | None = None
    """Seconds that the service asks to wait."""
    remedy: str | None = None
    """What somebody has to do, where waiting alone does not help."""


Outcome = Answered | Refused | Unavailable


def outcome_of_answer(insert_errors: Sequence[Mapping[str, Any]], rows: int) -> Outcome:
    """Reads the `insertErrors` of an answer to so many rows.

    All rows have the columns of the spec: one that the table lacks is no row's fault.
    """
    refused: dict[int, RowError] = {}
    again: list[int] = []
    for entry in insert_errors:
        index, error = int(entry["index"]), _row_error(entry.get("errors", ()))
        if error.message.lower().startswith(_UNKNOWN_COLUMN):
            return Unavailable(f"no row inserted: {error.message}", remedy=_COLUMN_REMEDY)
        if error.reason == _STOPPED or error.reason in _PASSING_REASONS:
            again.append(index)
        else:
            refused[index] = error
    if len(again) == rows:
        error = _row_error([e for entry in insert_errors for e in entry.get("errors", ())])
        return Unavailable(f"no row inserted: {error.reason}: {error.message}")
    return Answered(refused, tuple(again))


def outcome_of_error(error: Exception) -> Refused | Unavailable | None:
    """Reads what a call raised; None for what no service or network raises."""
    if isinstance(error, GoogleAPICallError):
        return _outcome_of_status(error)
    if isinstance(error, requests.RequestException | GoogleAuthError | ConnectionError):
        return Unavailable(f"{type(error).__name__}: {error}")
    return None


def _outcome_of_status(error: GoogleAPICallError) -> Refused | Unavailable:
    detail = _row_error([entry for entry in error.errors if isinstance(entry, Mapping)])
    if detail.reason not in _PASSING_REASONS:
        if error.code in (_BAD_REQUEST, _TOO_LARGE):
            return Refused(replace(detail, message=detail.message or error.message))
        if error.code in _REMEDIES:
            return Unavailable(str(error), remedy=_REMEDIES[error.code])
    return Unavailable(str(error), retry_after=_retry_after(error))


def _row_error(errors: Sequence[Mapping[str, Any]]) -> RowError:
    """The first that tells anything: what stopped a row is told at another one."""
    telling = [error for error in errors if error.get("reason") != _STOPPED]
    first = next(iter(telling or errors), {})
    return RowError(
        reason=first.get("reason") or "invalid",
        message=first.get("message") or "",
        location=first.get("location") or None,
    )


def _retry_after(error: GoogleAPICallError) -> float | None:
    response = error.response
    return None if response is None else retry_after_seconds(response.headers.get("Retry-After"))
