"""Storage's routes: object names may hold encoded slashes; access control lists are refused."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from local.cloud.http import unsupported

_ACCESS_CONTROL = ("predefinedAcl", "predefinedDefaultObjectAcl", "destinationPredefinedAcl")


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
        """Raises ApiError 501 where the call asks for an access control list by name."""
        asked = Request(scope).query_params
        for name in _ACCESS_CONTROL:
            if name in asked:
                raise unsupported(f"access control lists ({name})")
        await super().handle(scope, receive, send)


def base_url(request: Request) -> str:
    """The server's root URL as this client reaches it, without a slash at its end."""
    return str(request.base_url).rstrip("/")
