"""Pub/Sub, as the environment's Airflow connection sees it.

The clients read PUBSUB_EMULATOR_HOST themselves. The provider's own hook can create and delete
subscriptions, but can neither look at one nor bring it back to a time.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from google.pubsub_v1 import Subscription

    from beam_jobs.spec import EnvironmentSpec

_TIMEOUT_SECONDS = 60


class PubSubHook:
    """The few things the operators ask of Pub/Sub."""

    def __init__(self, environment: EnvironmentSpec) -> None:
        self._environment = environment

    def subscription(self, name: str) -> Subscription | None:
        """The subscription of that full name; None where there is none."""
        from google.api_core.exceptions import NotFound

        with self._subscriber() as client:
            try:
                return client.get_subscription(subscription=name, timeout=_TIMEOUT_SECONDS)
            except NotFound:
                return None

    def create(self, subscription: Subscription) -> None:
        """Creates it; nothing happens where there is one of that name."""
        from google.api_core.exceptions import AlreadyExists

        with self._subscriber() as client, suppress(AlreadyExists):
            client.create_subscription(request=subscription, timeout=_TIMEOUT_SECONDS)

    def delete(self, subscription: str) -> None:
        """Deletes it with all that it holds; nothing happens where there is none."""
        from google.api_core.exceptions import NotFound

        with self._subscriber() as client, suppress(NotFound):
            client.delete_subscription(subscription=subscription, timeout=_TIMEOUT_SECONDS)

    def take_snapshot(self, snapshot: str, subscription: str) -> None:
        """Keeps what the subscription has not acknowledged by now, in place of what was kept under
        that name before."""
        self.delete_snapshot(snapshot)
        with self._subscriber() as client:
            request = {"name": snapshot, "subscription": subscription}
            client.create_snapshot(request=request, timeout=_TIMEOUT_SECONDS)

    def delete_snapshot(self, snapshot: str) -> None:
        """Nothing happens where there is none."""
        from google.api_core.exceptions import NotFound

        with self._subscriber() as client, suppress(NotFound):
            client.delete_snapshot(snapshot=snapshot, timeout=_TIMEOUT_SECONDS)

    def seek(self, subscription: str, to: str | datetime) -> None:
        """Brings the subscription to the state of a snapshot, or back to a time: what was
        published since is delivered again."""
        target = {"snapshot": to} if isinstance(to, str) else {"time": to}
        with self._subscriber() as client:
            request = {"subscription": subscription, **target}
            client.seek(request=request, timeout=_TIMEOUT_SECONDS)

    def has_topic(self, name: str) -> bool:
        """Whether there is a topic of that full name."""
        from google.api_core.exceptions import NotFound

        with self.publisher() as client:
            try:
                client.get_topic(topic=name, timeout=_TIMEOUT_SECONDS)
            except NotFound:
                return False
            return True

    def publisher(self) -> PublisherClient:
        """A client that publishes; a context manager, at whose end all messages are sent."""
        from google.cloud.pubsub_v1 import PublisherClient

        return PublisherClient(credentials=self._credentials())

    def _subscriber(self) -> SubscriberClient:
        from google.cloud.pubsub_v1 import SubscriberClient

        return SubscriberClient(credentials=self._credentials())

    def _credentials(self) -> Any:
        from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

        connection = self._environment.airflow.gcp_conn_id
        return GoogleBaseHook(gcp_conn_id=connection).get_credentials()
