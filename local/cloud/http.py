"""What the APIs of the local cloud share: Google's error bodies and JSON answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

Endpoint = Callable[[Request], Awaitable[Response]] | Callable[[Request], Response]

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Api(Protocol):
    """One Google API inside the server."""

    def routes(self) -> list[BaseRoute]: ...

    def start(self) -> None:
        """Load what is on disk and start background work."""

    def stop(self) -> None:
        """Stop background work; everything acknowledged is on disk already."""


@dataclass
class ApiError(Exception):
    """An error that a client sees, in the shape of Google's JSON APIs.

    `reason` is the legacy error reason (BigQuery and Storage clients branch on it), `status` the
    canonical code name; left out, it follows from the HTTP code.
    """

    code: int
    message: str
    reason: str = "invalid"
    status: str | None = None
    details: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "status": self.status or _STATUS.get(self.code, "UNKNOWN"),
            "errors": [{"message": self.message, "domain": "global", "reason": self.reason}],
        }
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def response(self) -> Response:
        return JSONResponse(self.body(), self.code, self.headers)


def unsupported(feature: str) -> ApiError:
    """Refuses what this server does not imitate, by name, rather than answer wrongly."""
    return ApiError(501, f"the local cloud does not support {feature}", "notImplemented")


async def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises ApiError 400."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, f"the request body is not JSON: {error}", "parseError") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the request body is not a JSON object", "parseError")
    return body
