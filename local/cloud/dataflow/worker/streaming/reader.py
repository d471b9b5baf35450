"""Reading a subscription ahead of the pipeline: pulls, acknowledgements and leases, in threads."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import grpc

from local.cloud.dataflow.worker.streaming.leases import Leases
from local.cloud.dataflow.worker.streaming.subscription import Subscription

PULL_MOST = 1_000
FULL_PULL = 100
"""The emulator gives no more in one pull."""
BEHIND_SECONDS = 0.02
AHEAD_BYTES = 64 << 20
BUNDLE_BYTES = 16 << 20
FIRST_PAUSE, LONGEST_PAUSE = 0.004, 0.03
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 2.0
RENEW_SECONDS = 1.0
DEFAULT_DEADLINE = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pulled:
    """Messages of one generation: `ReceivedMessage`s as they came, and their size."""

    messages: list[Any]
    generation: int
    size: int


class Reader:
    """Fetches messages ahead, keeps them leased, acknowledges them when told to.

    `arrival` is set whenever messages have come.
    """

    def __init__(self, subscription: Subscription, ahead: int, arrival: threading.Event) -> None:
        self._subscription = subscription
        self._ahead = ahead
        self._arrival = arrival
        self._leases = Leases()
        self._pulled: deque[Pulled] = deque()
        self._count = self._bytes = 0
        self._behind = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._stopped = threading.Event()
        self._acks: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=target, daemon=True, name=f"pubsub-{target.__name__}")
            for target in (self._fetch, self._acknowledge, self._renew)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many messages were fetched and not taken yet."""
        return self._count

    def await_more(self, most: int, seconds: float) -> None:
        """Waits until so many messages have been fetched, but no longer than that; in any case for
        a moment where the last pull left more behind."""
        if self._behind:
            seconds = BEHIND_SECONDS
        if seconds > 0:
            with self._changed:
                self._changed.wait_for(lambda: self._count >= most, seconds)

    def take(self, most: int) -> Pulled | None:
        """Messages for one bundle; None when there are none."""
        with self._changed:
            if not self._pulled:
                return None
            generation, size = self._pulled[0].generation, 0
            messages: list[Any] = []
            while self._pulled and self._pulled[0].generation == generation:
                chunk, room = self._pulled[0], most - len(messages)
                if messages and (room == 0 or size + chunk.size > BUNDLE_BYTES):
                    break
                self._pulled.popleft()
                if len(chunk.messages) > room:
                    chunk, rest = _cut(chunk, room)
                    self._pulled.appendleft(rest)
                messages += chunk.messages
                size += chunk.size
            self._count -= len(messages)
            self._bytes -= size
            self._changed.notify_all()
            return Pulled(messages, generation, size)

    def acknowledge(self, messages: list[Any], generation: int) -> None:
        """Messages that are done with; sent by a thread of its own."""
        with self._lock:
            ids = self._leases.release([m.ack_id for m in messages], generation)
        if ids:
            self._acks.put(ids)

    def stop(self) -> None:
        """Fetches no more and gives back what was not taken."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        self._threads[0].join()
        with self._lock:
            ids = [
                id
                for chunk in self._pulled
                for id in self._leases.release([m.ack_id for m in chunk.messages], chunk.generation)
            ]
            self._pulled.clear()
            self._count = self._bytes = 0
        self._give_back(ids)

    def close(self) -> None:
        """Sends what is to be acknowledged and gives back everything else."""
        self._acks.put(None)
        self._threads[1].join()
        with self._lock:
            ids = self._leases.due(float("inf"), 0)
        self._give_back(ids)

    def _give_back(self, ids: list[str]) -> None:
        with contextlib.suppress(grpc.RpcError):
            self._subscription.extend(ids, 0)

    def _fetch(self) -> None:
        pause, backoff = FIRST_PAUSE, FIRST_BACKOFF
        while self._await_room():
            try:
                response = self._subscription.pull(PULL_MOST)
            except grpc.RpcError as error:
                log.warning("cannot pull from %s: %s", self._subscription.name, _reason(error))
                with self._lock:
                    self._leases.forget()
                self._stopped.wait(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)
                continue
            backoff = FIRST_BACKOFF
            if response.received_messages:
                self._add(list(response.received_messages), response.ByteSize())
                pause = FIRST_PAUSE
            else:
                self._stopped.wait(pause)
                pause = min(1.2 * pause, LONGEST_PAUSE)

    def _await_room(self) -> bool:
        """Waits until more may be fetched; False when the reader was stopped."""
        with self._changed:
            while not self._stopped.is_set():
                if self._count < self._ahead and self._bytes < AHEAD_BYTES:
                    return True
                self._changed.wait()
        return False

    def _add(self, messages: list[Any], size: int) -> None:
        with self._lock:
            self._leases.hold((m.ack_id for m in messages), time.monotonic())
            self._pulled.append(Pulled(messages, self._leases.generation, size))
            self._count += len(messages)
            self._bytes += size
            self._behind = len(messages) >= FULL_PULL
            self._changed.notify_all()
        self._arrival.set()

    def _acknowledge(self) -> None:
        while ids := self._acks.get():
            try:
                self._subscription.acknowledge(ids)
            except grpc.RpcError as error:
                # They come again: the service promises no more than at least once either.
                log.warning("cannot acknowledge %d messages: %s", len(ids), _reason(error))

    def _renew(self) -> None:
        deadline = DEFAULT_DEADLINE
        with contextlib.suppress(grpc.RpcError):
            deadline = self._subscription.ack_deadline()
        while True:
            time.sleep(RENEW_SECONDS)
            now = time.monotonic()
            with self._lock:
                ids = self._leases.due(now - deadline / 2, now)
            with contextlib.suppress(grpc.RpcError):
                self._subscription.extend(ids, deadline)


def _cut(chunk: Pulled, count: int) -> tuple[Pulled, Pulled]:
    share = chunk.size * count // len(chunk.messages)
    return (
        Pulled(chunk.messages[:count], chunk.generation, share),
        Pulled(chunk.messages[count:], chunk.generation, chunk.size - share),
    )


def _reason(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.Call) else str(error)
