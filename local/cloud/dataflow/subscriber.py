"""Creating and deleting subscriptions in Pub/Sub."""

from __future__ import annotations

import contextlib

import grpc
from google.pubsub_v1 import types

from local.cloud.dataflow.folder import TopicSubscription

ACK_DEADLINE_SECONDS = 10
_CALL_SECONDS = 5.0


def make(subscription: TopicSubscription) -> None:
    """Creates it where it does not exist. Raises grpc.RpcError: NOT_FOUND without the topic."""
    request = types.Subscription(
        name=subscription.name,
        topic=subscription.topic,
        ack_deadline_seconds=ACK_DEADLINE_SECONDS,
    )
    try:
        _call(subscription.host, "CreateSubscription", types.Subscription.serialize(request))
    except grpc.RpcError as error:
        if not (isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.ALREADY_EXISTS):
            raise


def delete(subscription: TopicSubscription) -> None:
    """Deletes it, if Pub/Sub can be reached."""
    request = types.DeleteSubscriptionRequest(subscription=subscription.name)
    serialised = types.DeleteSubscriptionRequest.serialize(request)
    with contextlib.suppress(grpc.RpcError):
        _call(subscription.host, "DeleteSubscription", serialised)


def _call(host: str, method: str, request: bytes) -> None:
    with grpc.insecure_channel(host) as channel:
        call = channel.unary_unary(f"/google.pubsub.v1.Subscriber/{method}")
        call(request, timeout=_CALL_SECONDS)
