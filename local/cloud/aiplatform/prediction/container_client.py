"""Requests to the containers of deployed models."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from local.cloud.http import ApiError

_TIMEOUT_S = 60.0
"""What the service gives a prediction."""
_KEEP_ALIVE_S = 2.0
"""Shorter than a server's, so that it does not close a connection that is about to be used."""


@dataclass(frozen=True)
class ContainerAnswer:
    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class ContainerClient:
    """Keeps connections open; belongs to the event loop in which it is first used."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(self, url: str, body: bytes, content_type: str) -> ContainerAnswer:
        """Raises ApiError: 503 where nobody answers, 504 where the answer takes too long."""
        try:
            async with self._opened().post(
                url, data=body, headers={"Content-Type": content_type}
            ) as answer:
                return ContainerAnswer(
                    answer.status,
                    answer.headers.get("Content-Type", "application/octet-stream"),
                    await answer.read(),
                )
        except TimeoutError as error:
            raise ApiError(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"The model server did not answer within {_TIMEOUT_S:g} s.",
                "backendError",
                "DEADLINE_EXCEEDED",
            ) from error
        except aiohttp.ClientError as error:
            raise ApiError(
                503, f"The model server did not answer: {error}.", "backendError"
            ) from error

    def close(self) -> None:
        """From any other thread, while the loop runs."""
        if self._session is not None and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._loop = asyncio.get_running_loop()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(_TIMEOUT_S),
                auto_decompress=False,
            )
        return self._session
