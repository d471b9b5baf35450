"""The third step of a round: the action is taken, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.streaming.round import NEXT_ROUND, RoundOperator, decided_in

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.streaming.rounds import Decided

_MOST_AGE = timedelta(minutes=5)
"""What was seen longer ago is no ground to act on."""


class ActOperator(RoundOperator):
    """Writes the ledger, takes the action, and returns an Acted at once.

    Only the first try gets to write the ledger; every later one finds it changed and does nothing,
    since what came of the first is for the next round to see.
    """

    ui_color = "#e3f4e6"

    def execute(self, context: Context) -> dict[str, Any]:
        from nightstream.streaming.acting import act
        from nightstream.streaming.actions.cloud import Cloud
        from nightstream.streaming.rounds import Acted, to_json
        from nightstream.streaming.sentences import action_sentence, job_of

        decided = decided_in(context)
        decision = decided.decision
        self.show(job_of(decision))
        generation = self._announce(decided)
        self.log.info("%s", action_sentence(decision.action))
        refusal = act(decision.action, decision.before, Cloud(self.spec, self.environment))
        if refusal is None:
            acted = Acted(generation)
        else:
            self.log.warning("It was not done: %s", refusal.reason)
            acted = Acted(generation, refusal.reason, refusal.overtaken)
        result: dict[str, Any] = to_json(acted)
        return result

    def _announce(self, decided: Decided) -> int:
        """Writes what is about to be done; the generation of the ledger that says so."""
        from nightstream.streaming.ledgers import LedgerChangedError

        age = datetime.now(UTC) - decided.at
        if age > _MOST_AGE:
            raise AirflowFailException(
                f"what the decision stands on was seen {age.total_seconds():.0f} s ago; nothing "
                f"was done. {NEXT_ROUND}"
            )
        try:
            return self.ledger_file.swap(decided.decision.before, decided.generation)
        except LedgerChangedError as error:
            raise AirflowFailException(f"{error}; nothing was done. {NEXT_ROUND}") from error
