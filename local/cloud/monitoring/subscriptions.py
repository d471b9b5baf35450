"""Readings of subscriptions.

Google's emulator tells no statistics. But a snapshot of a subscription expires seven days after its
oldest unacknowledged message was published, which tells that message's age; and another
subscription of the same topic, a *shadow*, that is sought to the snapshot then holds exactly the
messages that are not acknowledged, as far as they were published after it was made: these are
counted. Nobody who reads the subscription sees any of that.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from local.cloud.monitoring.metrics import PUBSUB
from local.cloud.monitoring.pubsub import Pubsub, PubsubErrors, Subscribed
from local.cloud.monitoring.series import Labels, Reading

COUNT_MOST = 200_000
"""A larger backlog is told as this many: counting takes two to five seconds per 100,000."""
SETTLED_SECONDS = 1.0
"""A shadow answers for what was published so long after it was asked for."""
RENEW_SECONDS = 60.0
"""What a shadow gets stays in memory; a younger one takes its place, once that holds all that is
not acknowledged."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Shadow:
    """A shadow and the moment from which on it has every message, in seconds since 1970."""

    since: float
    id: str

    @classmethod
    def of(cls, subscription: str, now: float) -> Shadow:
        since = now + SETTLED_SECONDS
        return cls(since, f"shadow-{_digest(subscription)}-{since * 1000:.0f}")

    @classmethod
    def parse(cls, id: str) -> Shadow:
        return cls(int(id.rpartition("-")[2]) / 1000, id)

    def belongs_to(self, subscription: str) -> bool:
        return self.id.startswith(f"shadow-{_digest(subscription)}-")


class Subscriptions:
    """Samples the subscriptions that are asked for. `tag` names this server among others that use
    the same emulator."""

    def __init__(self, host: str, tag: str) -> None:
        self._pubsub = Pubsub(host, f"local-monitoring-{tag}")

    def close(self) -> None:
        """Leaves nothing behind in Pub/Sub."""
        try:
            self._delete(self._shadows())
        except PubsubErrors as error:
            log.warning("shadow subscriptions are left in Pub/Sub: %s", error)
        self._pubsub.close()

    def readings(self, projects: Iterable[str], chooses: Callable[[Labels], bool]) -> list[Reading]:
        """What is known of the subscriptions of these projects that are chosen by their labels."""
        try:
            listed = [
                s for project in sorted(projects) for s in self._pubsub.subscriptions(project)
            ]
            wanted = [s for s in listed if chooses(_labels(s.name))]
            shadows = self._shadows()
            of_nobody = [s for s in shadows if not any(s.belongs_to(w.name) for w in wanted)]
            self._delete(of_nobody)
        except PubsubErrors as error:
            log.warning("Pub/Sub cannot be sampled: %s", error)
            return []
        return [reading for found in wanted for reading in self._sample(found, shadows)]

    def _sample(self, found: Subscribed, shadows: list[Shadow]) -> list[Reading]:
        try:
            own = sorted(s for s in shadows if s.belongs_to(found.name))
            own += self._renew(found, own)
            count, age = self._measure(found.name, own)
        except PubsubErrors as error:
            log.warning("%s cannot be sampled: %s", found.name, error)
            return []
        labels = _labels(found.name)
        readings = [Reading(PUBSUB + "oldest_unacked_message_age", labels, {}, round(age))]
        if count is not None:
            readings.append(Reading(PUBSUB + "num_undelivered_messages", labels, {}, count))
        return readings

    def _renew(self, found: Subscribed, own: list[Shadow]) -> list[Shadow]:
        now = time.time()
        # Two at most: while the older one is needed, so is the younger.
        if len(own) > 1 or (own and now < own[0].since + RENEW_SECONDS):
            return []
        shadow = Shadow.of(found.name, now)
        self._pubsub.create_shadow(shadow.id, found)
        if time.time() >= shadow.since:
            # So slow that messages may have been published before it was there.
            self._delete([shadow])
            return []
        return [shadow]

    def _measure(self, subscription: str, own: list[Shadow]) -> tuple[int | None, float]:
        """The number of messages, None if no shadow has all of them, and the oldest one's age."""
        with self._pubsub.snapshot(subscription) as (snapshot, oldest):
            now = time.time()
            fit = [shadow for shadow in own if shadow.since < oldest]
            if not fit:
                return None, max(now - oldest, 0.0)
            # The youngest holds least; what came before it is done with.
            count, first = self._pubsub.count(fit[-1].id, snapshot, COUNT_MOST)
            self._delete(own[: own.index(fit[-1])])
            # Messages that were given back wait behind younger ones, where the snapshot does not
            # look; the shadow has them in their order.
            return count, max(now - min(oldest, first), 0.0) if first else 0.0

    def _shadows(self) -> list[Shadow]:
        return [Shadow.parse(id) for id in self._pubsub.shadows()]

    def _delete(self, shadows: Iterable[Shadow]) -> None:
        for shadow in shadows:
            self._pubsub.delete_shadow(shadow.id)


def _labels(subscription: str) -> Labels:
    _, project, _, id = subscription.split("/")
    return {"project_id": project, "subscription_id": id}


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
