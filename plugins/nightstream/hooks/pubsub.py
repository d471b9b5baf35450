"""Pub/Sub, as the environment's Airflow connection sees it.

The clients read PUBSUB_EMULATOR_HOST themselves. The provider's own hook can create and delete
subscriptions, but cannot look at one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        from google.cloud.pubsub_v1 import SubscriberClient

        with SubscriberClient(credentials=self._credentials()) as client:
            try:
                return client.get_subscription(subscription=name, timeout=_TIMEOUT_SECONDS)
            except NotFound:
                return None

    def has_topic(self, name: str) -> bool:
        """Whether there is a topic of that full name."""
        from google.api_core.exceptions import NotFound
        from google.cloud.pubsub_v1 import PublisherClient

        with PublisherClient(credentials=self._credentials()) as client:
            try:
                client.get_topic(topic=name, timeout=_TIMEOUT_SECONDS)
            except NotFound:
                return False
            return True

    def _credentials(self) -> Any:
        from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

        connection = self._environment.airflow.gcp_conn_id
        return GoogleBaseHook(gcp_conn_id=connection).get_credentials()
