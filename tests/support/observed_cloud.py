"""The local cloud with an observer in front: every JSON answer of a Google API is checked against
Google's own description of it.

`python -m tests.support.observed_cloud ...` takes the arguments of `python -m local.cloud` and two
before them: a file, to which it writes a line for each answer that does not fit, and one for the
names of the methods that were answered with success.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.cloud import __main__ as local_cloud
from local.cloud import server
from local.cloud.http import Api
from tests.support.discovery import Method, error_complaints, method_of


class Observer:
    """Passes everything on as it is, and looks at what goes out."""

    def __init__(self, app: ASGIApp, findings: Path, methods: Path) -> None:
        self._application = app
        self._findings = findings
        self._methods = methods
        self._answered: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = _method(scope)
        if method is None:
            await self._application(scope, receive, send)
            return
        answer = _Answer()

        async def observe(message: Message) -> None:
            answer.take(message)
            if answer.complete:
                # Before the client has it: what it did wrong is known when the call returns.
                self._write(scope, method, answer.complaints(method))
                if answer.succeeded:
                    self._count(method)
            await send(message)

        await self._application(scope, receive, observe)

    def _write(self, scope: Scope, method: Method, complaints: list[str]) -> None:
        if complaints:
            call = f"{method.id} ({scope['method']} {scope['path']})"
            with self._findings.open("a") as file:
                file.writelines(f"{call}: {complaint}\n" for complaint in complaints)

    def _count(self, method: Method) -> None:
        if method.id not in self._answered:
            self._answered.add(method.id)
            with self._methods.open("a") as file:
                file.write(f"{method.id}\n")


class _Answer:
    """An answer as it goes out, of which only JSON is kept."""

    def __init__(self) -> None:
        self.complete = False
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = dict(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            if self._is_json:
                self._body += message.get("body", b"")
            self.complete = not message.get("more_body", False)

    @property
    def succeeded(self) -> bool:
        return self._status < 300

    def complaints(self, method: Method) -> list[str]:
        if not self._is_json or self._within_upload or method.is_raw:
            return []
        answer = self._parsed()
        if self._status >= 400:
            return error_complaints(self._status, answer)
        return method.complaints(answer)

    @property
    def _within_upload(self) -> bool:
        """A resumable upload begins or goes on: there is nothing to answer yet."""
        return not self._body and (self._status == 308 or b"location" in self._headers)

    @property
    def _is_json(self) -> bool:
        return self._headers.get(b"content-type", b"").startswith(b"application/json")

    def _parsed(self) -> Any:
        packed = self._headers.get(b"content-encoding") == b"gzip"
        body = gzip.decompress(self._body) if packed else bytes(self._body)
        return json.loads(body) if body else None


def _method(scope: Scope) -> Method | None:
    """The method whose answer has to fit; the bytes of an object may be any JSON."""
    if scope["type"] != "http" or b"alt=media" in scope["query_string"]:
        return None
    return method_of(scope["method"], scope["raw_path"].decode("ascii"))


def main() -> int:
    findings, methods, *arguments = sys.argv[1:]
    unobserved = server.application

    def observed(apis: Sequence[Api]) -> Starlette:
        application = unobserved(apis)
        application.add_middleware(Observer, findings=Path(findings), methods=Path(methods))
        return application

    server.application = observed
    return local_cloud.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
