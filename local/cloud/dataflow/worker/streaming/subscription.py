"""A subscription by plain calls on the wire types, which cost a fraction of the client library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

_SERVICE = "/google.pubsub.v1.Subscriber/"
_CALL_SECONDS = 30.0
_MOST_IDS = 1_000
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Subscription:
    """One subscription of the Pub/Sub at `host` ("localhost:8085"). Calls raise grpc.RpcError."""

    def __init__(self, host: str, name: str) -> None:
        self.name = name
        self._channel = grpc.insecure_channel(host, _ANY_SIZE)
        self._pull = self._call("Pull", types.PullRequest, types.PullResponse.pb())
        self._acknowledge = self._call("Acknowledge", types.AcknowledgeRequest, Empty)
        self._modify = self._call("ModifyAckDeadline", types.ModifyAckDeadlineRequest, Empty)
        self._get = self._call(
            "GetSubscription", types.GetSubscriptionRequest, types.Subscription.pb()
        )

    def ack_deadline(self) -> int:
        """Seconds after which a message that was pulled is delivered again."""
        request = types.GetSubscriptionRequest.pb()(subscription=self.name)
        return int(self._get(request, timeout=_CALL_SECONDS).ack_deadline_seconds)

    def pull(self, most: int) -> Any:
        """What waits now, at most so many: a PullResponse, empty when nothing does."""
        request = types.PullRequest.pb()(
            subscription=self.name, max_messages=most, return_immediately=True
        )
        return self._pull(request, timeout=_CALL_SECONDS)

    def acknowledge(self, ids: Sequence[str]) -> None:
        for part in _parts(ids):
            request = types.AcknowledgeRequest.pb()(subscription=self.name, ack_ids=part)
            self._acknowledge(request, timeout=_CALL_SECONDS)

    def extend(self, ids: Sequence[str], seconds: int) -> None:
        """Keeps messages from being delivered again for so long; 0 gives them back at once."""
        for part in _parts(ids):
            request = types.ModifyAckDeadlineRequest.pb()(
                subscription=self.name, ack_ids=part, ack_deadline_seconds=seconds
            )
            self._modify(request, timeout=_CALL_SECONDS)

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: str, request: Any, response: Any) -> Any:
        return self._channel.unary_unary(
            _SERVICE + method,
            request_serializer=request.pb().SerializeToString,
            response_deserializer=response.FromString,
        )


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _MOST_IDS] for start in range(0, len(ids), _MOST_IDS)]
