"""The service's write to Pub/Sub: messages are published before their bundle is committed."""

from __future__ import annotations

import os
import uuid
from typing import Any

import grpc
from apache_beam.io.gcp.pubsub import _PubSubSink
from apache_beam.transforms.core import DoFn
from google.pubsub_v1 import types

_MOST_MESSAGES, _MOST_BYTES = 1_000, 9 << 20
_CALL_SECONDS = 60.0


class Publish(DoFn):
    """Publishes serialised PubsubMessages to a topic, all of a bundle in a few calls."""

    def __init__(self, sink: _PubSubSink) -> None:
        self._topic = sink.full_topic
        self._id_label = sink.id_label
        self._timestamp_attribute = sink.timestamp_attribute

    def setup(self) -> None:
        channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
        self._call = channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=types.PublishRequest.pb().SerializeToString,
            response_deserializer=types.PublishResponse.pb().FromString,
        )

    def start_bundle(self) -> None:
        self._messages: list[Any] = []
        self._bytes = 0

    def process(self, element: bytes, timestamp: Any = DoFn.TimestampParam) -> None:
        message = types.PubsubMessage.pb().FromString(element)
        if self._id_label:
            message.attributes[self._id_label] = uuid.uuid4().hex
        if self._timestamp_attribute:
            message.attributes[self._timestamp_attribute] = str(timestamp.micros // 1_000)
        if len(self._messages) == _MOST_MESSAGES or self._bytes + len(element) > _MOST_BYTES:
            self._send()
        self._messages.append(message)
        self._bytes += len(element)

    def finish_bundle(self) -> None:
        self._send()

    def _send(self) -> None:
        if self._messages:
            request = types.PublishRequest.pb()(topic=self._topic, messages=self._messages)
            self._call(request, timeout=_CALL_SECONDS)
            self.start_bundle()
