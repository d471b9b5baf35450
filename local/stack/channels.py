"""The Pub/Sub topics and subscriptions of the services, as their YAML declares them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import yaml

from local.stack.errors import StackError
from local.stack.http import loopback_session

_ACK_DEADLINE_S = 60
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Channel:
    """How requests reach one service, and its answers the callers; names without project."""

    topic: str
    subscription: str
    response_topic: str | None = None


def read_channels(services: Path) -> list[Channel]:
    """The channels of every service that declares streaming.

    A file that says something else is passed over: the product names its mistake with file and
    field, and other services go on.
    """
    return [channel for path in sorted(services.glob("*.yaml")) for channel in _channel(path)]


def create_channels(pubsub_url: str, project: str, channels: list[Channel]) -> None:
    """Create what is missing. Raises StackError when the emulator refuses."""
    with loopback_session() as session:
        root = f"{pubsub_url}/v1/projects/{project}"
        for channel in channels:
            for topic in filter(None, (channel.topic, channel.response_topic)):
                _create(session, f"{root}/topics/{quote(topic)}", {})
            _subscribe(session, root, project, channel)


def _channel(path: Path) -> Iterator[Channel]:
    try:
        streaming = yaml.safe_load(path.read_text())["streaming"]
        names = [streaming["topic"], streaming["subscription"], streaming.get("response_topic")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return
    if all(isinstance(name, str) for name in filter(None, names)):
        yield Channel(*names)


def _subscribe(session: requests.Session, root: str, project: str, channel: Channel) -> None:
    topic = f"projects/{project}/topics/{channel.topic}"
    found = _create(
        session,
        f"{root}/subscriptions/{quote(channel.subscription)}",
        {
            "topic": topic,
            "ackDeadlineSeconds": _ACK_DEADLINE_S,
            "retainAckedMessages": True,
            "expirationPolicy": {},  # never
        },
    )
    if found["topic"] != topic:
        raise StackError(
            f"subscription {channel.subscription} reads {found['topic']}, and a subscription "
            f"cannot move to {topic}",
            "give the service's subscription a new name, or `make down` and `make up`",
        )


def _create(session: requests.Session, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """The resource behind the URL, made now or found."""
    response = session.put(url, json=body, timeout=_TIMEOUT_S)
    if response.status_code == 409:
        response = session.get(url, timeout=_TIMEOUT_S)
    if not response.ok:
        raise StackError(
            f"Pub/Sub refused {url}: {response.status_code} {response.text[:300]}",
            "see `make logs`, component pubsub",
        )
    created: dict[str, Any] = response.json()
    return created
