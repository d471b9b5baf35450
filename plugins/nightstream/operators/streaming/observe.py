"""The first step of a round: what is declared, what runs, and how it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.streaming.round import RoundOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ObserveOperator(RoundOperator):
    """Changes nothing. Returns an Observed; fails where it cannot see, so that nothing is done."""

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        from nightstream.streaming.ledgers import LedgerError
        from nightstream.streaming.observing import UnseenError, observe
        from nightstream.streaming.rounds import to_json
        from nightstream.streaming.sentences import seen_sentences

        try:
            observed = observe(self.spec, self.environment)
        except (LedgerError, UnseenError) as error:
            raise AirflowFailException(str(error)) from error
        for sentence in seen_sentences(observed.snapshot):
            self.log.info("%s", sentence)
        standing = observed.snapshot.standing(observed.snapshot.ledger.active)
        self.show(standing[-1].id if standing else None)
        result: dict[str, Any] = to_json(observed)
        return result
