"""What the steps of a release have in common."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from nightstream.operators.waiting import WaitingOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import ReleasePlan
    from nightstream.champion import ChampionAlias
    from nightstream.champions_file import ChampionsFile


class ReleaseOperator(WaitingOperator):
    """One step. It looks, does what is next, and looks again, until nothing is left to do: a task
    that was killed, cleared or retried goes on where things stand."""

    def execute(self, context: Context) -> Any:
        return self.turn(context)

    def execute_complete(self, context: Context, event: Any = None, **_: Any) -> Any:
        self.log.info("Looking again, because of %s", event)
        return self.turn(context)

    def turn(self, context: Context) -> Any:
        """Looks, and acts or waits. Every turn begins from nothing."""
        raise NotImplementedError

    @cached_property
    def champion_alias(self) -> ChampionAlias:
        from nightstream.champion import champion_alias

        return champion_alias(self.spec, self.environment, self.objects)

    @cached_property
    def champions(self) -> ChampionsFile:
        from nightstream.champions_file import ChampionsFile

        return ChampionsFile(self.objects, self.root)

    @property
    def root(self) -> str:
        """The folder of the service's releases."""
        from beam_jobs.runs.release import releases_root

        return releases_root(self.environment.buckets.work, self.spec.service)

    def planned(self, context: Context) -> ReleasePlan:
        """What the task `candidate` of this DAG run planned."""
        from beam_jobs.runs.release import ReleasePlan

        uri = context["ti"].xcom_pull(task_ids="candidate")["plan_uri"]
        return ReleasePlan.model_validate_json(self.objects.read(uri))

    def look_again(self) -> NoReturn:
        """Ends this turn of the task; the next one comes soon."""
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        self.wait(TimeDeltaTrigger(timedelta(seconds=self.environment.airflow.poll_seconds)))

    def run_evaluation(self, arguments: Sequence[str], minutes: float) -> None:
        """Runs `python -m beam_jobs.evaluation`, which alone opens models."""
        from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

        from nightstream.jobs.launcher import run_launcher
        from nightstream.releasing.commands import evaluation_command

        command = evaluation_command(arguments, self.environment)
        self.log.info("Within %g minutes: %s", minutes, command)
        hook = GoogleBaseHook(gcp_conn_id=self.environment.airflow.gcp_conn_id)
        with hook.provide_gcp_credential_file_as_context():
            ended = run_launcher(command, minutes * 60, self.log.info)
        if ended.refused:
            raise AirflowFailException(ended.tail)
        if ended.timed_out or ended.returncode:
            how = f"took longer than {minutes:g} minutes" if ended.timed_out else "failed"
            raise AirflowException(f"the evaluation {how}; its last lines:\n{ended.tail}")
