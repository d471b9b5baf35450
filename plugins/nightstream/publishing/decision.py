"""What a publisher may do, given the ledger. Pure: the ledger, the publisher and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nightstream.publishing.ledger import Intent, Ledger, Publication, Publisher


@dataclass(frozen=True)
class Skip:
    """What stands is this very work: nothing is to be done."""

    published: Publication


@dataclass(frozen=True)
class Wait:
    """Somebody else is publishing the night."""

    holder: Publisher
    until: datetime
    """When the lease ends, unless it is renewed or given up before."""


@dataclass(frozen=True)
class Acquire:
    """The night is free: begin a publication of one's own."""


@dataclass(frozen=True)
class Resume:
    """An earlier try at the same work began this publication: finish it."""

    intent: Intent


@dataclass(frozen=True)
class TakeOver:
    """Somebody began this publication and let the lease lapse: settle its loads first."""

    predecessor: Intent


Decision = Skip | Wait | Acquire | Resume | TakeOver


def decide(ledger: Ledger, me: Publisher, now: datetime, force: bool = False) -> Decision:
    """What `me` may do. An unfinished publication always comes before anything of one's own.

    Forced work is published again though it stands already, but once for each DAG run: its own
    retry finds it published.
    """
    lease, intent, published = ledger.lease, ledger.intent, ledger.published
    if lease and now < lease.expires_at and not _gives_way(lease.holder, me):
        return Wait(lease.holder, lease.expires_at)
    if intent and me.continues(intent.publisher):
        return Resume(intent)
    if intent:
        return TakeOver(intent)
    if published and published.run_key == me.run_key:
        done_by_me = me.continues(published.intent.publisher)
        return Skip(published) if done_by_me or not force else Acquire()
    return Acquire()


def _gives_way(holder: Publisher, me: Publisher) -> bool:
    """A lease gives way to its own DAG run: to this try, and to any later one."""
    return holder.same_dag_run(me) and holder.try_number <= me.try_number
