"""The subscriptions that slots read: opened, closed, brought back to a time. Never under a job that
reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.pubsub_v1 import ExpirationPolicy, Subscription

from nightstream.jobs.job import label_values
from nightstream.lifecycle.actions import Close, Open, Seek
from nightstream.lifecycle.ledger import Ledger
from nightstream.streaming.actions.cloud import Cloud, Refused
from nightstream.streaming.channels import no_retention
from nightstream.streaming.naming import Slot, live_job_name

_OPENED_FOR = "nightstream_slot"
"""The label of a subscription that was made here."""


def open_slot(action: Open, ledger: Ledger, cloud: Cloud) -> None:
    """Makes the slot's subscription: like the serving one, and in its state. Raises Refused.

    It is there before the snapshot: what is published between the two is in both.
    """
    cloud.require_no_reader(action.slot, ledger)
    name, serving = (ledger.slots[slot].subscription for slot in (action.slot, ledger.active))
    model = cloud.pubsub.subscription(serving)
    if model is None:
        raise Refused(f"subscription {serving}, which slot {ledger.active} reads, does not exist")
    opened = _like(model, name, _mark(action.slot, cloud))
    _require_ours(cloud.pubsub.subscription(name), opened, cloud)
    snapshot = _snapshot(action.slot, cloud)
    with _in_its_words():
        cloud.pubsub.create(opened)
        cloud.pubsub.take_snapshot(snapshot, serving)
        cloud.pubsub.seek(name, snapshot)
        cloud.pubsub.delete_snapshot(snapshot)


def close_slot(action: Close, ledger: Ledger, cloud: Cloud) -> None:
    """Deletes the slot's subscription; it may be gone already. Raises Refused."""
    name = ledger.slots[action.slot].subscription
    for slot, other in ledger.slots.items():
        if slot != action.slot and other.subscription == name:
            raise Refused(f"{name} is what slot {slot} reads, too")
    cloud.require_no_reader(action.slot, ledger)
    cloud.pubsub.delete(name)


def seek_slot(action: Seek, ledger: Ledger, cloud: Cloud) -> None:
    """Has everything delivered again that was published since that time. Raises Refused."""
    name = ledger.slots[action.slot].subscription
    cloud.require_no_reader(action.slot, ledger)
    found = cloud.pubsub.subscription(name)
    if found is None:
        raise Refused(f"subscription {name} does not exist")
    if not found.retain_acked_messages:
        raise Refused(no_retention(name))
    with _in_its_words():
        cloud.pubsub.seek(name, action.to)


def _require_ours(found: Subscription | None, opened: Subscription, cloud: Cloud) -> None:
    """What it holds is about to be replaced: raises Refused where that may be somebody else's."""
    if found is None:
        return
    marked = found.labels.get(_OPENED_FOR) == opened.labels[_OPENED_FOR]
    if found.topic != opened.topic or not (marked or found.name == _declared(cloud)):
        raise Refused(
            f"subscription {found.name} of {found.topic} is there, and was not made for this. "
            "Remedy: delete it, or name another subscription in the spec"
        )


def _declared(cloud: Cloud) -> str:
    """The subscription that the spec names, which nobody else may read."""
    return f"projects/{cloud.environment.project}/subscriptions/{cloud.streaming.subscription}"


def _mark(slot: Slot, cloud: Cloud) -> dict[str, str]:
    return label_values({_OPENED_FOR: live_job_name(cloud.spec.service, slot)})


def _like(model: Subscription, name: str, mark: dict[str, str]) -> Subscription:
    """One of the same settings. It has no dead-letter topic, by which requests would leave it
    unseen, and does not expire while nobody reads it."""
    return Subscription(
        name=name,
        topic=model.topic,
        ack_deadline_seconds=model.ack_deadline_seconds,
        retain_acked_messages=model.retain_acked_messages,
        message_retention_duration=model.message_retention_duration,
        enable_message_ordering=model.enable_message_ordering,
        enable_exactly_once_delivery=model.enable_exactly_once_delivery,
        filter=model.filter,
        message_transforms=model.message_transforms,
        expiration_policy=ExpirationPolicy(),
        labels={**model.labels, **mark},
    )


def _snapshot(slot: Slot, cloud: Cloud) -> str:
    return (
        f"projects/{cloud.environment.project}/snapshots/{live_job_name(cloud.spec.service, slot)}"
    )


@contextmanager
def _in_its_words() -> Iterator[None]:
    try:
        yield
    except (FailedPrecondition, InvalidArgument, NotFound) as error:
        raise Refused(error.message) from error
