"""How long partitions are kept, of tables that are new and of those that stand."""

from __future__ import annotations

from typing import Any

from nightstream.hooks.bigquery import created_table
from nightstream.tables import runs_schema, table_id
from tests.plugins.nightstream.streaming.conftest import DEAD_LETTERS, PREDICTIONS, Live
from tests.support.specs import an_environment

DAY_MS = 24 * 60 * 60 * 1000


def keep(live: Live, **retention: int) -> None:
    live.environment = (
        an_environment(retention=retention, bigquery={"dataset": live.dataset})
        if retention
        else live.environment
    )


def expiration(live: Live, name: str) -> Any:
    return live.table(name).time_partitioning.expiration_ms


def test_live_tables_are_kept_as_the_environment_says(empty: Live) -> None:
    keep(empty, live_predictions_days=90, live_dead_letters_days=30)
    empty.prepare()
    assert expiration(empty, PREDICTIONS) == 90 * DAY_MS
    assert expiration(empty, DEAD_LETTERS) == 30 * DAY_MS


def test_a_change_reaches_a_table_that_stands_and_silence_changes_nothing(empty: Live) -> None:
    empty.prepare()
    assert expiration(empty, PREDICTIONS) is None
    keep(empty, live_predictions_days=90)
    empty.prepare()
    assert expiration(empty, PREDICTIONS) == 90 * DAY_MS
    keep(empty, live_predictions_days=7)
    empty.prepare()
    assert expiration(empty, PREDICTIONS) == 7 * DAY_MS
    assert expiration(empty, DEAD_LETTERS) is None
    keep(empty, live_dead_letters_days=5)
    empty.prepare()
    assert expiration(empty, PREDICTIONS) == 7 * DAY_MS


def test_a_table_that_is_made_by_a_task_is_kept_likewise(empty: Live) -> None:
    table = table_id(empty.environment, "scoring_runs")
    created_table(empty.client, table, runs_schema().kept(400))
    assert expiration(empty, "scoring_runs") == 400 * DAY_MS
    fields = [field.name for field in empty.table("scoring_runs").schema]
    created_table(empty.client, table, runs_schema().kept(500))
    assert expiration(empty, "scoring_runs") == 500 * DAY_MS
    assert [field.name for field in empty.table("scoring_runs").schema] == fields
