"""What the tables hold, counted by BigQuery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from beam_jobs.runs.streaming import live_dead_letters_table, live_predictions_table
from nightstream.reconciling.books import Counted, DayBooks, Recorded
from nightstream.tables import (
    PARTITION_COLUMN,
    RUNS_TABLE,
    dead_letters_table,
    predictions_table,
    replays_table,
    table_id,
)

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from beam_jobs.spec import EnvironmentSpec

_OF_DAYS = (
    "published_at >= TIMESTAMP(@first) AND "
    "published_at < TIMESTAMP(DATE_ADD(@last, INTERVAL 1 DAY))"
)


@dataclass(frozen=True)
class Tables:
    """The tables of one service."""

    client: Client
    environment: EnvironmentSpec
    service: str

    def predictions(self, first: date, last: date) -> dict[date, dict[str, int]]:
        """Rows by night and run key."""
        return self._by_run(predictions_table(self.service), first, last)

    def dead(self, first: date, last: date) -> dict[date, dict[str, int]]:
        """Dead letters by night and run key."""
        return self._by_run(dead_letters_table(self.service), first, last)

    def recorded(self, first: date, last: date) -> dict[date, list[Recorded]]:
        """The rows of `scoring_runs` that tell of publications, by night."""
        found: dict[date, list[Recorded]] = defaultdict(list)
        query = (
            f"SELECT {PARTITION_COLUMN} AS night, sequence, run_key, rows_in, rows_scored, "
            f"rows_dead FROM `{{}}` WHERE {PARTITION_COLUMN} BETWEEN @first AND @last "
            "AND service = @service AND outcome = 'published'"
        )
        for row in self._rows(RUNS_TABLE, query, first, last, service=self.service):
            rows = Counted(row["rows_in"], row["rows_scored"], row["rows_dead"])
            found[row["night"]].append(Recorded(row["sequence"], row["run_key"], rows))
        return dict(found)

    def repaired(self, first: date, last: date) -> dict[str, int]:
        """Letters that replays of those nights have repaired, by the replay's run key."""
        query = (
            "SELECT run_key, COUNT(*) AS letters FROM ("
            "SELECT DISTINCT run_key, source_uri, source_position FROM `{}` "
            f"WHERE source = 'batch' AND outcome = 'repaired' "
            f"AND {PARTITION_COLUMN} BETWEEN @first AND @last) GROUP BY run_key"
        )
        rows = self._rows(replays_table(self.service), query, first, last)
        return {row["run_key"]: row["letters"] for row in rows}

    def days(self, first: date, last: date) -> Iterator[DayBooks]:
        """The requests of each day that has any."""
        predictions = live_predictions_table(self.service)
        dead_letters = live_dead_letters_table(self.service)
        if not (self._has(predictions) and self._has(dead_letters)):
            return
        scored, dead = f"{predictions}_unique", f"{dead_letters}_unique"
        scored_requests = self._requests(scored, first, last)
        dead_requests = self._requests(dead, first, last)
        scored_rows = self._live_rows(predictions, first, last)
        dead_rows = self._live_rows(dead_letters, first, last)
        in_both = self._in_both(scored, dead, first, last)
        sent = self._sent(scored, dead, first, last, "")
        lost = self._sent(scored, dead, first, last, "WHERE there.request_id IS NULL ")
        for day in sorted({*scored_rows, *dead_rows, *sent}):
            yield DayBooks(
                day,
                scored=scored_requests.get(day, 0),
                dead=dead_requests.get(day, 0),
                scored_rows=scored_rows.get(day, 0),
                dead_rows=dead_rows.get(day, 0),
                in_both=in_both.get(day, 0),
                sent_again=sent.get(day, 0),
                lost=lost.get(day, 0),
            )

    def _by_run(self, table: str, first: date, last: date) -> dict[date, dict[str, int]]:
        found: dict[date, dict[str, int]] = defaultdict(dict)
        query = (
            f"SELECT {PARTITION_COLUMN} AS night, run_key, COUNT(*) AS held FROM `{{}}` "
            f"WHERE {PARTITION_COLUMN} BETWEEN @first AND @last GROUP BY night, run_key"
        )
        for row in self._rows(table, query, first, last):
            found[row["night"]][row["run_key"]] = row["held"]
        return dict(found)

    def _requests(self, view: str, first: date, last: date) -> dict[date, int]:
        query = (
            "SELECT publish_date AS day, COUNT(*) AS held FROM `{}` "
            "WHERE publish_date BETWEEN @first AND @last GROUP BY day"
        )
        return _by_day(self._rows(view, query, first, last))

    def _live_rows(self, table: str, first: date, last: date) -> dict[date, int]:
        query = (
            "SELECT DATE(published_at) AS day, COUNT(*) AS held FROM `{}` "
            f"WHERE {_OF_DAYS} GROUP BY day"
        )
        return _by_day(self._rows(table, query, first, last))

    def _in_both(self, scored: str, dead: str, first: date, last: date) -> dict[date, int]:
        query = (
            "SELECT publish_date AS day, COUNT(*) AS held FROM `{}` "
            f"JOIN `{self._id(dead)}` USING (publish_date, request_id) "
            "WHERE publish_date BETWEEN @first AND @last GROUP BY day"
        )
        return _by_day(self._rows(scored, query, first, last))

    def _sent(self, scored: str, dead: str, first: date, last: date, which: str) -> dict[date, int]:
        """Requests that were sent again, by the day on which they were published first."""
        requests = " UNION ALL ".join(
            f"SELECT publish_date AS day, request_id FROM `{self._id(view)}` "
            "WHERE publish_date BETWEEN @first AND @last"
            for view in (scored, dead)
        )
        query = (
            "SELECT sent.day AS day, COUNT(*) AS held FROM ("
            "SELECT DISTINCT DATE(published_at) AS day, request_id FROM `{}` "
            f"WHERE source = 'streaming' AND {_OF_DAYS}) AS sent "
            f"LEFT JOIN ({requests}) AS there "
            "ON sent.day = there.day AND sent.request_id = there.request_id "
            f"{which}GROUP BY sent.day"
        )
        return _by_day(self._rows(replays_table(self.service), query, first, last))

    def _rows(
        self, table: str, query: str, first: date, last: date, **more: str
    ) -> Iterator[Mapping[str, Any]]:
        """None of a table that is not there; `{}` in the query is the table."""
        from nightstream.hooks.bigquery import selected_rows

        if self._has(table):
            parameters: dict[str, date | str] = {"first": first, "last": last, **more}
            yield from selected_rows(self.client, query.format(self._id(table)), parameters)

    def _has(self, table: str) -> bool:
        from google.api_core.exceptions import NotFound

        try:
            self.client.get_table(self._id(table))
        except NotFound:
            return False
        return True

    def _id(self, table: str) -> str:
        return str(table_id(self.environment, table))


def _by_day(rows: Iterator[Mapping[str, Any]]) -> dict[date, int]:
    return {row["day"]: row["held"] for row in rows}
