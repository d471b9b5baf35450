"""The last step of a round: what came of it is told and written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import TriggerRule

from nightstream.operators.streaming.round import NEXT_ROUND, RoundOperator, acted_in, decided_in

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.lifecycle.decision import Decision
    from nightstream.lifecycle.ledger import Ledger


class RecordRoundOperator(RoundOperator):
    """Sends the alerts, then replaces the ledger. Fails where a person has to decide.

    Alerts come first: where the task is killed between the two, they are sent again.
    """

    ui_color = "#e8f1fb"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.NONE_FAILED, **kwargs)

    def execute(self, context: Context) -> None:
        from nightstream.lifecycle.actions import Ask
        from nightstream.streaming.sentences import job_of

        decision = decided_in(context).decision
        self.show(job_of(decision))
        ledger, generation = self._outcome(context)
        self._write(ledger, generation, decision, context)
        if isinstance(decision.action, Ask):
            raise AirflowFailException("; ".join(decision.reasons))

    def _outcome(self, context: Context) -> tuple[Ledger, int]:
        """The ledger to be written, and the generation that it replaces."""
        from nightstream.lifecycle.decision import refused

        decided = decided_in(context)
        if not decided.decision.acts:
            return decided.decision.after, decided.generation
        acted = acted_in(context)
        if acted.refused:
            decision, at = decided.decision, decided.at
            return refused(decision, acted.refused, at, acted.overtaken), acted.generation
        return decided.decision.after, acted.generation

    def _write(self, ledger: Ledger, generation: int, decision: Decision, context: Context) -> None:
        from nightstream.streaming.ledgers import LedgerChangedError

        found, current = self.ledger_file.read()
        if current != generation and found == ledger:
            self.log.info("An earlier try has written this already")
            return
        try:
            if current != generation:
                raise LedgerChangedError(f"{self.ledger_file.uri} was changed by somebody else")
            self._tell(decision, context)
            self.ledger_file.swap(ledger, generation)
        except LedgerChangedError as error:
            raise AirflowFailException(
                f"{error}; this round is not recorded. {NEXT_ROUND}"
            ) from error

    def _tell(self, decision: Decision, context: Context) -> None:
        from nightstream.alerts import Alert, send

        question = "; ".join(decision.reasons)
        for text in decision.alerts:
            asks = text == question
            title = "a person has to decide" if asks else "the streaming job"
            alert = Alert(title, text, self.spec.service, "error" if asks else "warning")
            send(alert, self.environment.airflow.alerts, context)
