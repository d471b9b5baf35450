"""The second step of a round: what is to be done, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, SkipMixin

from nightstream.forms.streaming import StreamingChoices
from nightstream.lifecycle.requests import RequestError
from nightstream.operators.streaming.round import RoundOperator, observed_in

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.lifecycle.snapshot import Snapshot


class DecideOperator(RoundOperator, SkipMixin):
    """Pure: the same observation and form always come to the same Decided.

    Skips the task `act` where there is nothing to do. The decision as sentences is the XCom
    `reasons`.
    """

    ui_color = "#f3ecfb"

    def execute(self, context: Context) -> dict[str, Any]:
        from nightstream.lifecycle.decision import decide
        from nightstream.streaming.rounds import Decided, to_json
        from nightstream.streaming.sentences import decision_sentences, job_of

        assert self.spec.streaming is not None
        observed = observed_in(context)
        snapshot = self._with_request(observed.snapshot, context)
        lifecycle = self.spec.streaming.lifecycle
        decision = decide(snapshot, lifecycle, observed.timing, observed.at)
        sentences = decision_sentences(decision)
        for sentence in sentences:
            self.log.info("%s", sentence)
        self.show(job_of(decision))
        context["ti"].xcom_push(key="reasons", value=sentences)
        result: dict[str, Any] = to_json(Decided(observed.at, observed.generation, decision))
        if not decision.acts:
            self._skip_act(result, context)
        return result

    def _with_request(self, snapshot: Snapshot, context: Context) -> Snapshot:
        """The snapshot as the person who triggered this run wants it to be taken."""
        from nightstream.lifecycle.requests import with_request

        run = context["dag_run"]
        try:
            request = StreamingChoices.of(context).request(run.triggering_user_name)
            return with_request(snapshot, request, run.run_after)
        except RequestError as error:
            raise AirflowFailException(f"nothing is changed: {error}") from error

    def _skip_act(self, result: dict[str, Any], context: Context) -> None:
        # Skipping ends the task at once, before Airflow would take what it returns.
        context["ti"].xcom_push(key="return_value", value=result)
        self.skip(context["ti"], [self.dag.get_task("act")])
