"""The chapter of a night that is not like the training data: stopped, looked at, published."""

from __future__ import annotations

from datetime import date

from examples.babyweight.births import births_of_2014
from examples.babyweight.nights import Night, make_night, upload_night
from examples.demo.books import read_nights
from examples.demo.dag_runs import DagRuns
from examples.demo.show import Show

DAG_ID = "babyweight_batch"
_REASON = "These are the births of 2014: it is known that mothers are older now"


def shifted(show: Show, score_date: date) -> list[str]:
    """What did not add up."""
    show.chapter("A night of other births: those of 2014, whose mothers are older")
    night = make_night(score_date, births=1000, known=births_of_2014())
    folder = show.spec.input.folder(score_date)
    upload_night(night, f"gs://{show.environment.buckets.input}/{folder}")
    runs = DagRuns(show.airflow, DAG_ID, show.say)
    return [*_stopped(show, runs, night), *_published(show, runs, night)]


def _stopped(show: Show, runs: DagRuns, night: Night) -> list[str]:
    run_id = show.airflow.trigger(DAG_ID, {"score_date": str(night.score_date)})
    log = runs.see_it_fail(run_id, str(night.score_date), "audit").splitlines()
    refusal = next(n for n, line in enumerate(log) if "is not published" in line)
    for line in log[refusal:]:
        if line.startswith("- "):
            show.say(line)
    link = show.airflow.link(DAG_ID, run_id, "audit", "Report")
    show.say(f"Its report: {link}")
    (found,) = read_nights(show.bigquery, show.dataset, [night.score_date])
    return [f"{night.score_date}: published though it was stopped"] if found.scored else []


def _published(show: Show, runs: DagRuns, night: Night) -> list[str]:
    show.chapter("… and published all the same, by somebody who says why")
    choices = {
        "score_date": str(night.score_date),
        "allow_drift": True,
        "allow_drift_reason": _REASON,
    }
    show.say(f'$ airflow dags trigger {DAG_ID} --conf \'{{…, "allow_drift_reason": "{_REASON}"}}\'')
    runs.see_to_its_end(show.airflow.trigger(DAG_ID, choices), str(night.score_date))
    (found,) = read_nights(show.bigquery, show.dataset, [night.score_date])
    show.say(f"{found.scored} predictions, RMSE {found.rmse:.3f} lb; scoring_runs keeps the reason")
    return [] if found.scored == night.scored else [f"{night.score_date}: {found.scored} published"]
