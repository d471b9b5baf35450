"""Sends requests that were not scored to their topic again, as the requests that they were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from nightstream.forms.replay import ReplayChoices
from nightstream.operators.replay.base import ReplayOperator
from nightstream.tables import live_dead_letters_view, replays_schema, replays_table, table_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.providers.common.compat.sdk import Context

    from nightstream.replaying.sending import Message, Resending


class SendOperator(ReplayOperator):
    """Returns how many requests were sent. Sending one twice is harmless: the live views count a
    request once, whoever sent it how often."""

    ui_color = "#e3f4e6"

    def execute(self, context: Context) -> int:
        from nightstream.replaying.sending import Resending

        assert self.spec.streaming is not None
        resending = Resending(self.spec.streaming, self.objects, datetime.now(UTC))
        messages = resending.messages(self._letters(context))
        if ReplayChoices.of(context).dry_run:
            raise AirflowSkipException(f"{len(list(messages))} would be sent: this is a dry run")
        sent = self._send(messages)
        for reason, letters in resending.impossible.items():
            self.log.warning("%d dead letters are not sent: %s", letters, reason)
        if not sent:
            raise AirflowSkipException("there is nothing to be sent")
        self._remember(resending, context)
        return sent

    def _letters(self, context: Context) -> Iterator[Mapping[str, Any]]:
        from nightstream.replaying.choice import live_letters_query, parameters

        letters = self.letters(context)
        view = live_dead_letters_view(self.spec, self.environment).id
        return self.selected(self.client(), live_letters_query(view, letters), parameters(letters))

    def _send(self, messages: Iterator[Message]) -> int:
        from nightstream.hooks.pubsub import PubSubHook
        from nightstream.replaying.sending import SendingFailedError, publish

        assert self.spec.streaming is not None
        topic = f"projects/{self.environment.project}/topics/{self.spec.streaming.topic}"
        try:
            with PubSubHook(self.environment).publisher() as client:
                sent = publish(client, topic, messages)
        except SendingFailedError as error:
            raise AirflowException(str(error)) from error
        self.log.info("%d requests were sent to %s again", sent, topic)
        return sent

    def _remember(self, resending: Resending, context: Context) -> None:
        from nightstream.hooks.bigquery import extended_table
        from nightstream.replaying.appending import append_once
        from nightstream.replaying.outcomes import outcomes_table
        from nightstream.replaying.trying import digest

        ti, client, schema = context["ti"], self.client(), replays_schema()
        table = table_id(self.environment, replays_table(self.spec.service))
        kept = schema.kept(self.environment.retention.replays_days)
        extended_table(client, table, kept)
        columns = [column.name for column in schema.columns]
        rows = outcomes_table(resending.rows(ti.dag_id, ti.run_id), columns)
        identity = f"{self.spec.service}-{digest((ti.dag_id, ti.run_id))}"
        append_once(client, table, schema, rows, identity)
