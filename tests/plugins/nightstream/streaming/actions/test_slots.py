"""The subscriptions of slots: opened, closed, brought back to a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import NotFound
from google.pubsub_v1 import DeadLetterPolicy, ExpirationPolicy, Subscription

from nightstream.lifecycle.actions import Close, Open, Seek
from nightstream.lifecycle.ledger import OpenSlot
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.streaming.actions.conftest import Service

OPEN, CLOSE = Open(Slot.B), Close(Slot.B)


@pytest.fixture
def beside(service: Service) -> str:
    """The name of a second slot's subscription, which is not there yet."""
    name = f"{serving(service)}-b"
    service.slots[Slot.B] = OpenSlot(subscription=name, ready=False)
    return name


def test_the_new_subscription_is_like_the_serving_one(service: Service, beside: str) -> None:
    recreate(
        service,
        ack_deadline_seconds=77,
        retain_acked_messages=True,
        message_retention_duration=timedelta(days=3),
        enable_message_ordering=True,
        filter='attributes.kind = "request"',
        labels={"team": "science"},
    )

    assert service.act(OPEN) == ""

    opened = found(service, beside)
    like = found(service, serving(service))
    for name in (
        *("topic", "ack_deadline_seconds", "retain_acked_messages"),
        *("message_retention_duration", "enable_message_ordering", "filter"),
    ):
        assert getattr(opened, name) == getattr(like, name), name
    assert opened.labels["team"] == "science"
    assert "expiration_policy" in opened
    assert not opened.expiration_policy.ttl


def test_it_has_no_dead_letter_topic_though_the_serving_one_has(
    service: Service, beside: str
) -> None:
    policy = DeadLetterPolicy(dead_letter_topic=topic(service), max_delivery_attempts=5)
    recreate(service, dead_letter_policy=policy)

    assert service.act(OPEN) == ""

    assert not found(service, beside).dead_letter_policy.dead_letter_topic


def test_from_then_on_both_receive_what_is_published(service: Service, beside: str) -> None:
    assert service.act(OPEN) == ""
    publish(service, b"one", b"two")

    assert pulled(service, beside, 2) == {b"one", b"two"}
    assert pulled(service, serving(service), 2) == {b"one", b"two"}


def test_opened_again_it_is_in_the_state_of_the_serving_one(service: Service, beside: str) -> None:
    assert service.act(OPEN) == ""
    publish(service, b"answered", b"answered", b"waits")
    acknowledge(service, serving(service), b"answered", 3)

    assert service.act(OPEN) == ""

    assert pulled(service, beside, 1) == {b"waits"}


@pytest.mark.parametrize("steps", range(1, 5))
def test_a_task_that_was_killed_after_any_step_is_finished_by_the_next(
    service: Service, beside: str, steps: int
) -> None:
    pubsub, snapshot = service.cloud.pubsub, snapshot_of(service)
    model = found(service, serving(service))
    mark = {"nightstream_slot": service.job_name(Slot.B)}
    todo: list[Callable[[], None]] = [
        lambda: pubsub.create(Subscription(name=beside, topic=model.topic, labels=mark)),
        lambda: pubsub.take_snapshot(snapshot, model.name),
        lambda: pubsub.seek(beside, snapshot),
        lambda: pubsub.delete_snapshot(snapshot),
    ]
    for step in todo[:steps]:
        step()
    publish(service, b"answered", b"waits")
    acknowledge(service, serving(service), b"answered", 2)

    assert service.act(OPEN) == ""

    assert pulled(service, beside, 1) == {b"waits"}
    with pytest.raises(NotFound):
        service.pubsub.subscriber().delete_snapshot(snapshot=snapshot)


def test_a_slot_where_a_job_stands_is_not_opened(service: Service, beside: str) -> None:
    job = service.stuck_job("0" * 40, Slot.B)

    assert f"({job}) stands in slot b" in service.act(OPEN)
    assert service.cloud.pubsub.subscription(beside) is None


def test_there_is_nothing_to_open_beside_a_subscription_that_is_gone(
    service: Service, beside: str
) -> None:
    service.cloud.pubsub.delete(serving(service))

    assert f"{serving(service)}, which slot a reads, does not exist" in service.act(OPEN)
    assert service.cloud.pubsub.subscription(beside) is None


def test_somebody_elses_subscription_of_that_name_is_left_alone(
    service: Service, beside: str
) -> None:
    service.cloud.pubsub.create(Subscription(name=beside, topic=topic(service)))
    publish(service, b"somebody's")

    assert "was not made for this. Remedy:" in service.act(OPEN)
    assert pulled(service, beside, 1) == {b"somebody's"}


def test_the_specs_own_subscription_is_nobody_elses(service: Service) -> None:
    own, other = serving(service), f"{serving(service)}-b"
    service.cloud.pubsub.create(Subscription(name=other, topic=topic(service)))
    service.slots = {Slot.B: OpenSlot(subscription=other), Slot.A: OpenSlot(subscription=own)}
    ledger = service.ledger().model_copy(update={"active": Slot.B})
    service.ledger = lambda: ledger  # type: ignore[method-assign]
    publish(service, b"answered", b"waits")
    acknowledge(service, other, b"answered", 2)

    assert service.act(Open(Slot.A)) == ""

    assert pulled(service, own, 1) == {b"waits"}


def test_a_closed_slot_has_no_subscription_however_often(service: Service, beside: str) -> None:
    assert service.act(OPEN) == ""

    assert [service.act(CLOSE), service.act(CLOSE)] == ["", ""]

    assert service.cloud.pubsub.subscription(beside) is None
    assert found(service, serving(service)).topic == topic(service)


def test_no_subscription_is_deleted_under_a_job(service: Service, beside: str) -> None:
    assert service.act(OPEN) == ""
    job = service.stuck_job("0" * 40, Slot.B)

    assert f"({job}) stands in slot b" in service.act(CLOSE)
    assert found(service, beside)


def test_what_the_other_slot_reads_is_not_deleted(service: Service) -> None:
    service.slots[Slot.B] = service.slots[Slot.A]

    assert "is what slot a reads, too" in service.act(CLOSE)
    assert found(service, serving(service))


def test_what_was_acknowledged_since_is_delivered_again(service: Service) -> None:
    recreate(service, retain_acked_messages=True)
    before = datetime.now(UTC) - timedelta(seconds=5)
    publish(service, b"one", b"two")
    for text in (b"one", b"two"):
        acknowledge(service, serving(service), text, 1)

    assert [service.act(Seek(Slot.A, before)), service.act(Seek(Slot.A, before))] == ["", ""]

    assert pulled(service, serving(service), 2) == {b"one", b"two"}


def test_nothing_is_brought_back_under_a_job(service: Service) -> None:
    recreate(service, retain_acked_messages=True)
    job = service.stuck_job("0" * 40)

    assert f"({job}) stands in slot a" in service.act(Seek(Slot.A, datetime.now(UTC)))


def test_what_is_not_retained_cannot_be_brought_back(service: Service) -> None:
    refusal = service.act(Seek(Slot.A, datetime.now(UTC)))

    assert "--retain-acked-messages" in refusal
    service.cloud.pubsub.delete(serving(service))
    assert "does not exist" in service.act(Seek(Slot.A, datetime.now(UTC)))


def serving(service: Service) -> str:
    return service.slots[Slot.A].subscription


def topic(service: Service) -> str:
    return f"projects/nightstream-test/topics/{service.cloud.streaming.topic}"


def snapshot_of(service: Service) -> str:
    return f"projects/nightstream-test/snapshots/{service.job_name(Slot.B)}"


def found(service: Service, name: str) -> Subscription:
    subscription = service.cloud.pubsub.subscription(name)
    assert subscription is not None, name
    return subscription


def recreate(service: Service, **settings: object) -> None:
    """The serving subscription with other settings."""
    name = serving(service)
    service.cloud.pubsub.delete(name)
    made = Subscription(
        name=name, topic=topic(service), expiration_policy=ExpirationPolicy(), **settings
    )
    service.cloud.pubsub.create(made)


def publish(service: Service, *texts: bytes) -> None:
    publisher = service.pubsub.publisher()
    for future in [publisher.publish(topic(service), text) for text in texts]:
        future.result(30)


def pulled(service: Service, name: str, count: int) -> set[bytes]:
    """So many messages of a subscription, which then holds no other."""
    texts: list[bytes] = []
    while len(texts) < count:
        texts += _pull(service, name)
    assert len(texts) == count
    return set(texts)


def acknowledge(service: Service, name: str, text: bytes, count: int) -> None:
    """Of so many messages those of that text; the others go back."""
    subscriber = service.pubsub.subscriber()
    seen = 0
    while seen < count:
        answer = subscriber.pull(subscription=name, max_messages=10, timeout=30)
        seen += len(answer.received_messages)
        for message in answer.received_messages:
            if message.message.data == text:
                subscriber.acknowledge(subscription=name, ack_ids=[message.ack_id])
            else:
                subscriber.modify_ack_deadline(
                    subscription=name, ack_ids=[message.ack_id], ack_deadline_seconds=0
                )


def _pull(service: Service, name: str) -> list[bytes]:
    subscriber = service.pubsub.subscriber()
    answer = subscriber.pull(subscription=name, max_messages=10, timeout=30)
    return [message.message.data for message in answer.received_messages]
