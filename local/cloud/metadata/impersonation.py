"""The IAM credentials API: access tokens in the name of another service account."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.http import ApiError, json_body

_LONGEST_S = 12 * 3600
_LIFETIME = re.compile(r"(\d+(?:\.\d+)?)s")


def routes(access_token: str) -> list[BaseRoute]:
    """Anybody may impersonate anybody: every account gets this token."""

    async def generate(request: Request) -> Response:
        body = await json_body(request)
        if not body.get("scope"):
            raise ApiError(400, "Request must contain at least one scope.")
        expires = datetime.now(UTC) + timedelta(seconds=_lifetime(body.get("lifetime", "3600s")))
        answer = {"accessToken": access_token, "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return JSONResponse(answer)

    path = "/v1/projects/{project}/serviceAccounts/{account}:generateAccessToken"
    return [Route(path, generate, methods=["POST"])]


def _lifetime(text: str) -> float:
    """Seconds from a duration such as 3600s. Raises ApiError 400."""
    found = _LIFETIME.fullmatch(text)
    if not found or not 0 < float(found.group(1)) <= _LONGEST_S:
        raise ApiError(400, f"Invalid lifetime: {text!r} is not 1s to {_LONGEST_S}s")
    return float(found.group(1))
