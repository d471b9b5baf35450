"""A task whose process dies at one of its calls to the cloud: before the call is sent, or after it
was carried out and before its answer is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection
from typing import Any

import pytest


class Killed(BaseException):
    """The process is gone; no code of the task's catches this."""


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Border:
    """A moment in the life of a process, by the calls that it makes."""

    call: int
    """Counted from 1."""
    when: When


class Calls:
    """The calls that one thread makes: counted, and cut off at the border."""

    def __init__(self, border: Border | None) -> None:
        self.made = 0
        self.dead = False
        self._border = border
        self._thread = threading.get_ident()

    def send(self) -> None:
        if self._is_ours():
            self.made += 1
            self._pass(When.BEFORE)

    def take_answer(self) -> None:
        if self._is_ours():
            self._pass(When.AFTER)

    def _pass(self, when: When) -> None:
        # Whoever is dead makes no call from a `finally` either.
        self.dead = self.dead or self._border == Border(self.made, when)
        if self.dead:
            raise Killed

    def _is_ours(self) -> bool:
        return threading.get_ident() == self._thread


@contextmanager
def dying_at(border: Border | None) -> Iterator[Calls]:
    """Raises Killed at the border of what is run within; None: only counts.

    It sits in the standard library's HTTP client, which every Google client stands on.
    """
    calls = Calls(border)
    send, answer = HTTPConnection.endheaders, HTTPConnection.getresponse

    def counted_send(self: HTTPConnection, *args: Any, **kwargs: Any) -> None:
        calls.send()
        send(self, *args, **kwargs)

    def counted_answer(self: HTTPConnection, *args: Any, **kwargs: Any) -> Any:
        response = answer(self, *args, **kwargs)
        calls.take_answer()
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPConnection, "endheaders", counted_send)
        patch.setattr(HTTPConnection, "getresponse", counted_answer)
        yield calls
