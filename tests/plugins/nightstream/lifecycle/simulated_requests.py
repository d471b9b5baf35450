"""Requests on simulated subscriptions, and what became of each."""

from __future__ import annotations

from datetime import datetime


class Requests:
    """Requests by number, in the order in which they were published.

    Subscriptions keep what is acknowledged, as Pub/Sub does where it is told to.
    """

    def __init__(self, acknowledges_early: bool) -> None:
        self._early = acknowledges_early
        self.published: list[datetime] = []
        self.waiting: dict[str, set[int]] = {}
        """By subscription: what nobody has acknowledged."""
        self.written: set[int] = set()
        self.excused: set[int] = set()
        """Acknowledged early, and lost with a job that somebody has cancelled or that failed."""
        self._since: dict[str, int] = {}
        """By subscription: the first request that it ever held."""
        self._taken: dict[str, tuple[str, set[int]]] = {}
        """By job: its subscription, and what it has read and not written yet."""

    def subscribe(self, name: str) -> None:
        if name not in self.waiting:
            self.waiting[name] = set()
            self._since[name] = len(self.published)

    def unsubscribe(self, name: str) -> None:
        self.waiting.pop(name, None)
        self._since.pop(name, None)

    def copy(self, source: str, name: str) -> None:
        """A snapshot of the one is taken, and the other brought back to it."""
        self.waiting[name] |= self.waiting[source]
        self._since[name] = min([self._since[name], *self.waiting[source]])

    def publish(self, at: datetime) -> None:
        for waiting in self.waiting.values():
            waiting.add(len(self.published))
        self.published.append(at)

    def take(self, job_id: str, subscription: str) -> None:
        """The job reads all there is."""
        self._taken[job_id] = subscription, set(self.waiting[subscription])
        if self._early:
            self.waiting[subscription].clear()

    def write(self, job_id: str) -> None:
        subscription, taken = self._taken.pop(job_id, ("", set()))
        self.written |= taken
        if not self._early and subscription in self.waiting:
            self.waiting[subscription] -= taken

    def hand_over(self, old: str, new: str) -> None:
        """What the one has under way is the other's now."""
        if old in self._taken:
            self._taken[new] = self._taken.pop(old)

    def give_up(self, job_id: str, *, excused: bool) -> None:
        """What the job had under way comes again, unless it was acknowledged."""
        _, taken = self._taken.pop(job_id, ("", set()))
        if self._early and excused:
            self.excused |= taken

    def seek(self, name: str, to: datetime) -> None:
        """What was published before is acknowledged, all else is not."""
        begin = self._since[name]
        after = (n for n in range(begin, len(self.published)) if self.published[n] >= to)
        self.waiting[name] = set(after)

    def oldest_waiting(self, name: str, now: datetime) -> float:
        waiting = self.waiting[name]
        return (now - self.published[min(waiting)]).total_seconds() if waiting else 0

    def oldest_under_way(self, job_id: str, now: datetime) -> float:
        _, taken = self._taken.get(job_id, ("", set()))
        return (now - self.published[min(taken)]).total_seconds() if taken else 0

    def lost(self, until: datetime) -> set[int]:
        """Of those published by then, the ones that were never written."""
        due = {number for number, at in enumerate(self.published) if at <= until}
        return due - self.written - self.excused
