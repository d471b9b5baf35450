"""Reading a subscription ahead of the pipeline: pulls, acknowledgements and leases, in threads."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc

from local.cloud.dataflow.worker.streaming.buffer import Buffer, Pulled
from local.cloud.dataflow.worker.streaming.leases import Leases
from local.cloud.dataflow.worker.streaming.subscription import Subscription
from local.cloud.faults.in_jobs import reach_in_job

PULL_MOST = 1_000
FULL_PULL = 100
"""The emulator gives no more in one pull."""
BEHIND_SECONDS = 0.02
FIRST_PAUSE, LONGEST_PAUSE = 0.004, 0.03
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 2.0
RENEW_SECONDS = 1.0
DEFAULT_DEADLINE = 10

log = logging.getLogger(__name__)


class Reader:
    """Fetches messages ahead, keeps them leased, acknowledges them when told to.

    `arrival` is set whenever messages have come, `make_again` called when the subscription may be
    gone.
    """

    def __init__(
        self,
        subscription: Subscription,
        ahead: int,
        arrival: threading.Event,
        make_again: Callable[[], None] = lambda: None,
    ) -> None:
        self._subscription = subscription
        self._make_again = make_again
        self._arrival = arrival
        self._buffer = Buffer(ahead)
        self._leases = Leases()
        self._lock = threading.Lock()
        self._behind = False
        self._stopped = threading.Event()
        self._acks: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self._fetcher = _thread(self._fetch)
        self._acknowledger = _thread(self._send_acks)
        self._renewer = _thread(self._renew)

    def start(self) -> None:
        for thread in (self._fetcher, self._acknowledger, self._renewer):
            thread.start()

    @property
    def waiting(self) -> int:
        """How many messages were fetched and not taken yet."""
        return len(self._buffer)

    @property
    def held(self) -> int:
        """How many messages are leased: fetched, and neither acknowledged nor given back."""
        return len(self._leases)

    @property
    def subscription(self) -> str:
        return self._subscription.name

    def fetched(self) -> list[Any]:
        """The messages that wait."""
        return self._buffer.messages()

    def await_more(self, most: int, seconds: float) -> None:
        """Waits until so many messages have been fetched, but no longer than that; in any case for
        a moment where the last pull left more behind."""
        if self._behind:
            seconds = BEHIND_SECONDS
        if seconds > 0:
            self._buffer.await_count(most, seconds)

    def take(self, most: int) -> Pulled | None:
        """Messages for one bundle; None when there are none."""
        return self._buffer.take(most)

    def acknowledge(self, messages: list[Any], generation: int) -> None:
        """Messages that are done with; sent by a thread of its own."""
        if ids := self._release(messages, generation):
            self._acks.put(ids)

    def stop(self) -> None:
        """Fetches no more and gives back what was not taken."""
        self._stopped.set()
        left = self._buffer.close()
        self._fetcher.join()
        left += self._buffer.close()
        self._give_back([id for p in left for id in self._release(p.messages, p.generation)])

    def close(self) -> None:
        """Sends what is to be acknowledged and gives back everything else."""
        self._acks.put(None)
        self._acknowledger.join()
        with self._lock:
            ids = self._leases.end_generation()
        self._give_back(ids)

    def _release(self, messages: list[Any], generation: int) -> list[str]:
        with self._lock:
            return self._leases.release([m.ack_id for m in messages], generation)

    def _give_back(self, ids: list[str]) -> None:
        with contextlib.suppress(grpc.RpcError):
            self._subscription.extend(ids, 0)

    def _fetch(self) -> None:
        pause, backoff = FIRST_PAUSE, FIRST_BACKOFF
        while self._buffer.await_room():
            try:
                count = self._pull()
            except grpc.RpcError as error:
                log.warning("cannot pull from %s: %s", self._subscription.name, _reason(error))
                if _is_gone(error):
                    with self._lock:
                        self._leases.end_generation()
                    with contextlib.suppress(grpc.RpcError):
                        self._make_again()
                self._stopped.wait(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)
                continue
            backoff = FIRST_BACKOFF
            if count:
                pause = FIRST_PAUSE
            else:
                self._stopped.wait(pause)
                pause = min(1.2 * pause, LONGEST_PAUSE)

    def _pull(self) -> int:
        """Fetches what waits; answers how many messages that were."""
        response = self._subscription.pull(PULL_MOST)
        messages = list(response.received_messages)
        self._behind = len(messages) >= FULL_PULL
        if messages:
            with self._lock:
                self._leases.hold((m.ack_id for m in messages), time.monotonic())
            self._buffer.add(Pulled(messages, self._leases.generation, response.ByteSize()))
            self._arrival.set()
        return len(messages)

    def _send_acks(self) -> None:
        while ids := self._acks.get():
            reach_in_job("job.acknowledge")
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


def _thread(target: Any) -> threading.Thread:
    return threading.Thread(target=target, daemon=True, name=f"pubsub{target.__name__}")


def _is_gone(error: grpc.RpcError) -> bool:
    """Whether that Pub/Sub may be another one when it is there again."""
    gone = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND)
    return isinstance(error, grpc.Call) and error.code() in gone


def _reason(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.Call) else str(error)
