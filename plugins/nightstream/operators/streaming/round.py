"""What the steps of a round have in common."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from nightstream.links import DataflowJobLink, LedgerLink, job_url
from nightstream.operators.base import ServiceOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.streaming.ledgers import LedgerFile
    from nightstream.streaming.rounds import Acted, Decided, Observed


NEXT_ROUND = (
    "Remedy: none is needed, the next round looks again; a request that the ledger does not show "
    "has to be made anew"
)
"""For whoever reads that a round was broken off."""


class RoundOperator(ServiceOperator):
    """One step of a round.

    A step that is killed, cleared or tried again stops no job and starts none: there is no
    `on_kill`, and only one try of one `act` gets to replace the ledger that it stands on.
    """

    operator_extra_links = (DataflowJobLink(), LedgerLink())
    link = ""

    @cached_property
    def ledger_file(self) -> LedgerFile:
        """The ledger of the service's streaming jobs."""
        from nightstream.streaming.ledgers import LedgerFile, ledger_uri

        uri = ledger_uri(self.environment.buckets.work, self.spec.service)
        return LedgerFile(self.objects, uri)

    def show(self, job_id: str | None) -> None:
        """Makes the job the one that the task's button leads to."""
        if job_id:
            self.link = job_url(self.environment, job_id)


def observed_in(context: Context) -> Observed:
    """What the task `observe` of this DAG run saw."""
    from nightstream.streaming.rounds import Observed, from_json

    return from_json(Observed, _result(context, "observe"))


def decided_in(context: Context) -> Decided:
    """What the task `decide` of this DAG run came to."""
    from nightstream.streaming.rounds import Decided, from_json

    return from_json(Decided, _result(context, "decide"))


def acted_in(context: Context) -> Acted:
    """What came of the task `act` of this DAG run."""
    from nightstream.streaming.rounds import Acted, from_json

    return from_json(Acted, _result(context, "act"))


def _result(context: Context, task_id: str) -> Any:
    return context["ti"].xcom_pull(task_ids=task_id)
