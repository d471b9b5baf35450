"""Why a request for predictions failed, and who is to blame: a pure reading of what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import orjson
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError

from beam_jobs.inserts.patience import retry_after_seconds
from beam_jobs.runs.dead_letter import ErrorCode

EXCERPT_CHARACTERS = 300


class Kind(Enum):
    """What is done about a failure."""

    BUSY = "busy"
    """The endpoint takes no requests for now, or is not reached: sent again, for long."""
    BROKEN = "broken"
    """An instance may be what the model cannot bear: sent again a few times, then narrowed."""
    ASTRAY = "astray"
    """It answers, but not what it was asked, and no instance is why: sent again a few times."""
    REFUSED = "refused"
    """The request is not taken as it is: narrowed at once."""
    DENIED = "denied"
    """Neither waiting nor narrowing helps: somebody has to do something."""


@dataclass(frozen=True)
class Failure:
    """A request that was not answered with predictions."""

    kind: Kind
    message: str
    code: ErrorCode = ErrorCode.PREDICTION_FAILED
    """Of the dead letter of the row that is to blame."""
    retry_after: float | None = None
    """Seconds that the service asks to wait."""
    remedy: str | None = None


_BUSY = frozenset({429, 502, 503, 504})
_BROKEN = frozenset({500})
_REFUSED = frozenset({400, 413, 422})
_REMEDIES = {
    401: "give the workers a service account with valid credentials",
    403: "grant the workers' service account roles/aiplatform.user on the project of the endpoint",
    404: "deploy the model again, or correct model.endpoint in the spec",
}
_UNDEPLOYED = "deploy a model on the endpoint, with all of its traffic"
_UNKNOWN = "see what answers at the endpoint's address"


def failure_of_status(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Reads an answer whose status is not 200."""
    message = f"HTTP {status}: {excerpt(body)}"
    if status in _BUSY:
        wait = retry_after_seconds(headers.get("Retry-After"))
        return Failure(Kind.BUSY, message, retry_after=wait)
    if status in _BROKEN:
        return Failure(Kind.BROKEN, message)
    if status == 400 and _google_status(body) == "FAILED_PRECONDITION":
        return Failure(Kind.DENIED, message, remedy=_UNDEPLOYED)
    if status in _REFUSED:
        return Failure(Kind.REFUSED, message)
    return Failure(Kind.DENIED, message, remedy=_REMEDIES.get(status, _UNKNOWN))


def failure_of_exception(error: Exception) -> Failure | None:
    """Reads what a request raised; None for what no service or network raises."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, requests.ConnectTimeout):
        return Failure(Kind.BUSY, message)
    if isinstance(error, requests.Timeout) or "Read timed out" in message:
        return Failure(Kind.BROKEN, message, ErrorCode.PREDICTION_TIMEOUT)
    if isinstance(error, RefreshError) and not error.retryable:
        return Failure(Kind.DENIED, message, remedy=_REMEDIES[401])
    if isinstance(error, requests.RequestException | GoogleAuthError | ConnectionError):
        return Failure(Kind.BUSY, message)
    return None


def excerpt(body: bytes) -> str:
    """The beginning of an answer, for a message."""
    text = " ".join(body[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace").split())
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"


def _google_status(body: bytes) -> str | None:
    """`status` of an error as Google's services write it."""
    try:
        status = orjson.loads(body)["error"]["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return None
    return status if isinstance(status, str) else None
