"""The first task of a night: its input is there, or is not going to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    SkipMixin,
)

from nightstream.forms.batch import NightChoices
from nightstream.operators.base import night_of
from nightstream.operators.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.inputs.completeness import Incomplete, NoFiles


class AwaitInputOperator(WaitingOperator, SkipMixin):
    """Waits until the night's files are complete, by the spec's rule.

    Returns how many there are. A run that only cancels waits for nothing and goes to `cancel`.
    """

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> None:
        if NightChoices.of(context).cancel:
            self.log.info("This run scores nothing: it cancels the night's job (task `cancel`)")
            self.skip_all_except(context["ti"], "cancel")
        since = context["ti"].get_first_reschedule_date(context) or datetime.now(UTC)
        self._look(context, since + timedelta(minutes=self.spec.input.wait_minutes))

    def execute_complete(
        self, context: Context, event: Any = None, deadline: str = "", **_: Any
    ) -> None:
        self.log.info("Looking again, because of %s", event)
        self._look(context, datetime.fromisoformat(deadline))

    def _look(self, context: Context, deadline: datetime) -> None:
        from nightstream.inputs.completeness import Complete, Waiting, judge
        from nightstream.inputs.folder import night_folder, see

        night = night_of(context, self.spec)
        uri = night_folder(self.spec, self.environment, night, NightChoices.of(context).source)
        folder = see(uri, self.spec.input, self.objects)
        match judge(self.spec.input, folder, datetime.now(UTC), deadline):
            case Complete(files):
                self.log.info("Night %s is complete: %d files in %s", night, len(files), uri)
                self._go_on(context, len(files))
            case Waiting(reason):
                self.log.info("Night %s: %s; waiting until %s", night, reason, deadline)
                self._wait_for_input(uri, deadline)
            case given_up:
                self._give_up(context, given_up)

    def _wait_for_input(self, folder: str, deadline: datetime) -> NoReturn:
        from nightstream.triggers.input import InputTrigger

        trigger = InputTrigger(
            folder=folder,
            input=self.spec.input.model_dump(mode="json"),
            deadline=deadline.isoformat(),
            environment=self.environment.model_dump(mode="json"),
        )
        self.wait(trigger, deadline=deadline.isoformat())

    def _give_up(self, context: Context, verdict: NoFiles | Incomplete) -> None:
        from nightstream.inputs.completeness import NoFiles

        when_missing = self.spec.input.when_missing
        remedy = "Remedy: deliver the files, then clear this task"
        if not isinstance(verdict, NoFiles) or when_missing == "fail":
            raise AirflowFailException(f"{verdict.reason}. {remedy}")
        if when_missing == "skip":
            self._remember_skipping(context)
            raise AirflowSkipException(f"{verdict.reason}. The night is skipped, as the spec says")
        self.log.warning("%s. An empty night is published, as the spec says", verdict.reason)
        self._go_on(context, 0)

    def _remember_skipping(self, context: Context) -> None:
        """So that files that come yet are late ones to the nights after."""
        from nightstream.inputs.late import skipped_uri

        work = self.environment.buckets.work
        self.objects.put(skipped_uri(work, self.spec.service, night_of(context, self.spec)), b"")

    def _go_on(self, context: Context, files: int) -> None:
        ti = context["ti"]
        ti.xcom_push(key="return_value", value=files)
        self.skip_all_except(ti, "resolve")
