"""The batch endpoint: many requests in one, answered in their order."""

from __future__ import annotations

import uuid
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from starlette.types import Message as AsgiMessage

from local.cloud.http import ApiError

_MOST_CALLS = 1000


class BatchApi:
    """Each inner request runs through the whole server, as if it had come alone."""

    def routes(self) -> list[BaseRoute]:
        return [Route("/batch/storage/v1", self.run, methods=["POST"])]

    async def run(self, request: Request) -> Response:
        parts = _parts(request.headers.get("content-type", ""), await request.body())
        boundary = f"batch_{uuid.uuid4().hex}"
        answer = b""
        for part in parts:
            content_id = str(part.get("Content-ID", "")).strip("<>")
            answer += f"--{boundary}\r\nContent-Type: application/http\r\n".encode()
            answer += f"Content-ID: <response-{content_id}>\r\n\r\n".encode()
            answer += await _call(request, part) + b"\r\n"
        answer += f"--{boundary}--\r\n".encode()
        return Response(answer, media_type=f"multipart/mixed; boundary={boundary}")


def _parts(content_type: str, body: bytes) -> list[Message]:
    header = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(header + body)
    if not message.is_multipart():
        raise ApiError(
            400, "Failed to parse batch request: it is not multipart/mixed", "badRequest"
        )
    parts: list[Message] = list(message.iter_parts())
    if len(parts) > _MOST_CALLS:
        raise ApiError(400, f"A batch holds at most {_MOST_CALLS} calls.", "badRequest")
    return parts


async def _call(outer: Request, part: Message) -> bytes:
    """Run one inner request; answers an HTTP response as text."""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    line, _, rest = payload.replace(b"\r\n", b"\n").partition(b"\n")
    head, _, body = rest.partition(b"\n\n")
    try:
        method, target, _ = line.decode().split(" ", 2)
    except ValueError as error:
        raise ApiError(
            400, "Failed to parse batch request: bad request line", "badRequest"
        ) from error
    headers = [
        (name.strip().lower().encode(), value.strip().encode())
        for name, _, value in (row.partition(":") for row in head.decode().splitlines())
    ]
    scope = _scope(outer, method, target, headers)
    status, sent, content = await _run(outer.app, scope, body)
    reason = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {reason}".encode()]
    lines += [name + b": " + value for name, value in sent]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def _scope(
    outer: Request, method: str, target: str, headers: list[tuple[bytes, bytes]]
) -> dict[str, Any]:
    url = urlsplit(target)
    host = [(name, value) for name, value in outer.headers.raw if name == b"host"]
    inner = {key: outer.scope[key] for key in ("type", "asgi", "http_version", "scheme", "server")}
    return {
        **inner,
        "client": outer.scope.get("client"),
        "state": outer.scope.get("state", {}),
        "root_path": "",
        "method": method,
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": host + [(name, value) for name, value in headers if name != b"host"],
    }


async def _run(
    app: ASGIApp, scope: dict[str, Any], body: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, headers, content = 500, [], b""

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: AsgiMessage) -> None:
        nonlocal status, headers, content
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            content += message.get("body", b"")

    await app(scope, receive, send)
    return status, headers, content


def _unreadable(why: str) -> ApiError:
    return ApiError(400, f"Failed to parse batch request: {why}", "badRequest")
