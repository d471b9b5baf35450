"""Routes of the JSON API: object names may hold encoded slashes, what is missing is refused."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from local.cloud.storage.refusals import refusal


class EncodedRoute(Route):
    """Matches the path as it was sent, so `a%2Fb` stays one segment; parameters are decoded."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        match, child = super().matches({**scope, "path": scope["raw_path"].decode("ascii")})
        if match is not Match.NONE:
            parameters = child["path_params"]
            child["path_params"] = {name: unquote(value) for name, value in parameters.items()}
        return match, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if refused := refusal(request.query_params, request.headers):
            raise refused
        await super().handle(scope, receive, send)


def base_url(request: Request) -> str:
    """The server's root URL as this client reaches it, without a slash at its end."""
    return str(request.base_url).rstrip("/")
