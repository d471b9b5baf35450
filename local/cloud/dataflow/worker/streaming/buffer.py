"""Messages that were fetched and not yet taken into a bundle: bounded by number and bytes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 64 << 20
BUNDLE_BYTES = 16 << 20


@dataclass(frozen=True)
class Pulled:
    """Messages of one generation: `ReceivedMessage`s as they came, and their size."""

    messages: list[Any]
    generation: int
    size: int


class Buffer:
    """Safe for the threads that fill it and the one that empties it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: deque[Pulled] = deque()
        self._count = self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return self._count

    def messages(self) -> list[Any]:
        """All that is there."""
        with self._changed:
            return [message for chunk in self._chunks for message in chunk.messages]

    def await_room(self) -> bool:
        """Waits until more may be added; False when nothing may any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room())
            return not self._closed

    def _has_room(self) -> bool:
        return self._count < self._most and self._bytes < MOST_BYTES

    def add(self, chunk: Pulled) -> None:
        with self._changed:
            self._chunks.append(chunk)
            self._count += len(chunk.messages)
            self._bytes += chunk.size
            self._changed.notify_all()

    def await_count(self, count: int, seconds: float) -> None:
        """Waits until there are so many messages, but no longer than that."""
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count, seconds)

    def take(self, most: int) -> Pulled | None:
        """Messages for one bundle; None when there are none."""
        with self._changed:
            if not self._chunks:
                return None
            generation, size = self._chunks[0].generation, 0
            messages: list[Any] = []
            while self._chunks and self._chunks[0].generation == generation:
                room = most - len(messages)
                if messages and (not room or size + self._chunks[0].size > BUNDLE_BYTES):
                    break
                chunk = self._next(room)
                messages += chunk.messages
                size += chunk.size
            self._count -= len(messages)
            self._bytes -= size
            self._changed.notify_all()
            return Pulled(messages, generation, size)

    def _next(self, room: int) -> Pulled:
        """The oldest chunk, or the first so many messages of it."""
        chunk = self._chunks.popleft()
        if len(chunk.messages) <= room:
            return chunk
        share = chunk.size * room // len(chunk.messages)
        rest = Pulled(chunk.messages[room:], chunk.generation, chunk.size - share)
        self._chunks.appendleft(rest)
        return Pulled(chunk.messages[:room], chunk.generation, share)

    def close(self) -> list[Pulled]:
        """Takes no more; answers what was left."""
        with self._changed:
            self._closed = True
            left = list(self._chunks)
            self._chunks.clear()
            self._count = self._bytes = 0
            self._changed.notify_all()
            return left
