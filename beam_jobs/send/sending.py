"""Sends requests at a rate, and waits for their answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from beam_jobs.send.answers import Ledger, Summary
from beam_jobs.send.listening import listening
from beam_jobs.send.messages import numbered
from beam_jobs.send.pacing import Pace, paced
from beam_jobs.send.publishing import Publisher

Show = Callable[[int, int], None]
"""Told again and again how many messages are accepted, and how many answered."""

_LOOK_S = 0.1


@dataclass(frozen=True)
class Waiting:
    """For answers to what is sent."""

    responses: str
    """A topic or a subscription, by its full path."""
    timeout: float
    """Seconds after the last message was sent."""


@dataclass(frozen=True)
class Order:
    """What is to be sent where, and how."""

    topic: str
    """By its full path."""
    payloads: Sequence[bytes]
    count: int
    """How many messages; the payloads come over and over."""
    rate: float | None = None
    """Messages a second; None is as fast as Pub/Sub takes them."""
    id_prefix: str | None = None
    """Request ids are this and a running number from 0; None is messages without ids."""
    id_attribute: str = "request_id"
    waiting: Waiting | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an order."""

    count: int
    accepted: int
    """Messages that Pub/Sub took."""
    seconds: float
    """From the first to the last of them."""
    answers: Summary | None = None
    """Where they were waited for."""
    failure: str | None = None
    """What ended it early."""

    @property
    def complete(self) -> bool:
        """Every message was accepted and, where answers were waited for, answered."""
        answered = self.answers is None or not self.answers.unanswered
        return self.accepted == self.count and answered


def send(order: Order, show: Show = lambda _accepted, _answered: None) -> Outcome:
    """Publishes the order's messages; returns when Pub/Sub has accepted all of them or refused
    one and, where answers are waited for, all have come or time is up.

    Raises SendError where topic or answers cannot be reached to begin with.
    """
    ledger = Ledger()
    if order.waiting is None:
        return _publish(order, ledger, show)
    with listening(order.waiting.responses, ledger.answered) as listener:
        outcome = _publish(order, ledger, show)
        deadline = time.monotonic() + order.waiting.timeout
        while not (outcome.failure or listener.failure or ledger.wait(_LOOK_S)):
            show(outcome.accepted, ledger.answers)
            if time.monotonic() > deadline:
                break
        failure = outcome.failure or listener.failure
    show(outcome.accepted, ledger.answers)
    return replace(outcome, answers=ledger.summary(), failure=failure)


def _publish(order: Order, ledger: Ledger, show: Show) -> Outcome:
    messages = numbered(order.payloads, order.count, order.id_prefix)
    with Publisher(order.topic, order.id_attribute) as publisher:
        began = time.monotonic()
        for batch in paced(messages, Pace(order.rate)):
            if order.waiting:
                ledger.asked((message.id for message in batch if message.id), time.monotonic())
            if not publisher.publish(batch):
                break
            show(publisher.accepted, ledger.answers)
    seconds = time.monotonic() - began
    show(publisher.accepted, ledger.answers)
    return Outcome(order.count, publisher.accepted, seconds, failure=publisher.failure)
