"""The subscriptions that the service makes for a job whose pipeline reads topics.

The job's process makes them before the job runs; they go with the job, unless another one takes its
place and goes on reading the same topic.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.cloud.dataflow.folder import JobFolder, TopicSubscription


def subscriptions_for(
    reads: Mapping[str, str],
    job: Mapping[str, Any],
    host: str,
    earlier: Iterable[TopicSubscription],
    rename: Callable[[str], str],
) -> list[TopicSubscription]:
    """One for each read: `reads` has the topics by the name of the step, `earlier` are those of the
    job that this one replaces, of whose steps `rename` gives the names now."""
    inherited = {(rename(old.step), old.topic): old.name for old in earlier}
    return [
        TopicSubscription(
            step, topic, inherited.get((step, topic)) or _name(job, step, topic), host
        )
        for step, topic in reads.items()
    ]


def _name(job: Mapping[str, Any], step: str, topic: str) -> str:
    """The same for each process of the job."""
    number = zlib.crc32(f"{job['id']} {step}".encode())
    return f"projects/{job['projectId']}/subscriptions/{topic.split('/')[-1]}.subscription-{number}"


def delete_unneeded(folder: JobFolder) -> None:
    """Deletes those of a job that ends; what Pub/Sub does not delete now is left behind."""
    for subscription in unneeded(folder):
        # Few jobs have any, and this takes a moment to import.
        from local.cloud.dataflow.subscriber import delete

        delete(subscription)


def unneeded(folder: JobFolder) -> list[TopicSubscription]:
    """Those that no other job reads: neither the successor of this one, nor the one that it was to
    replace and did not."""
    replaced, successor = folder.replaces(), folder.successor()
    readers = [folder.beside(successor)] if successor else []
    if replaced and replaced.successor() != folder.path.name:
        readers.append(replaced)
    needed = {subscription.name for job in readers for subscription in job.subscriptions()}
    return [own for own in folder.subscriptions() if own.name not in needed]
