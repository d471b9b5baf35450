"""The books of real nights, before and after replays."""

from __future__ import annotations

from datetime import date

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from nightstream.operators.reconcile import ReconcileOperator
from nightstream.reconciling.service import reconcile
from tests.plugins.nightstream.operators.conftest import NIGHT
from tests.plugins.nightstream.operators.replay.conftest import Nights
from tests.plugins.nightstream.operators.replay.test_replay import NIGHTLY
from tests.support.turns import DagRun, Task


@pytest.mark.long
def test_the_books_close_before_and_after_replays(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    assert nights.differences() == []
    nights.replay("one", error_codes=["wrong_type"])
    assert nights.differences() == []
    nights.mend()
    nights.replay("two")

    books = reconcile(nights.service.spec, nights.service.environment, NIGHT, NIGHT)

    assert books.differences == []
    assert books.nights[0].repaired == 2
    assert "2026-01-05" in books.text()


@pytest.mark.long
def test_what_was_changed_behind_the_books_is_named(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    nights.rows("DELETE FROM `{}.weights_predictions` WHERE id = 'a'")
    nights.service.put("late.csv")
    nights.rows("DELETE FROM `{}.scoring_runs` WHERE TRUE")
    assert len(found := nights.differences()) == 3
    for said in ("holds 1 (-1)", "late.csv", "scoring_runs has 0 rows"):
        assert any(said in difference for difference in found)


def test_an_empty_dataset_has_books_that_close(nights: Nights) -> None:
    assert nights.differences(date(2026, 1, 1), date(2026, 1, 9)) == []


def test_the_task_fails_with_every_difference(nights: Nights) -> None:
    nights.service.put("a.csv")
    service = nights.service
    task = ReconcileOperator(
        task_id="weights",
        spec=service.spec,
        environment=service.environment,
        dag=DAG("nightstream_reconcile", schedule=None),
    )
    run = DagRun("daily", "nightstream_reconcile", params={"from_date": str(NIGHT)})
    with pytest.raises(AirflowFailException, match=r"not published, and 1 input files.*Remedy"):
        Task(task, run, form={}).finish()
