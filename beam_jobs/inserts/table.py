"""Writes rows to one table until each is inserted or known to be refused."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from google.cloud.bigquery import TableReference

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.outcomes import (
    Answered,
    Outcome,
    Refused,
    RowError,
    Unavailable,
    outcome_of_answer,
    outcome_of_error,
)
from beam_jobs.inserts.patience import Clock, wait_before
from beam_jobs.inserts.rows import InsertRow, request_body

MAX_REQUEST_ROWS = 10_000
MAX_REQUEST_BYTES = 9 * 1024 * 1024
"""BigQuery takes 10 MB, headers included."""
_FRUITLESS_PARTS = 6
"""Two halves and four quarters: when none of them passes, the table is down."""

log = logging.getLogger(__name__)


class SinkDownError(Exception):
    """A table takes no rows at all; which of them are inserted is unknown."""

    def __init__(self, table: str, unavailable: Unavailable) -> None:
        remedy = unavailable.remedy or "see the state of BigQuery; the rows will be sent again"
        super().__init__(f"{table} takes no rows: {unavailable.message}. Remedy: {remedy}")


@dataclass
class Written:
    """What became of the rows of one call; those that are not named are inserted."""

    refused: dict[int, RowError] = field(default_factory=dict)
    failed: dict[int, RowError] = field(default_factory=dict)
    """Not taken for a passing reason until the time was over, while others were."""
    requests: int = 0
    retries: int = 0

    @property
    def errors(self) -> dict[int, RowError]:
        """Of the rows that are not in the table, by index."""
        return self.refused | self.failed


@dataclass(frozen=True)
class _Part:
    """Rows that are sent together, by their index."""

    rows: Sequence[int]
    since: float
    """When the first of the requests they were in was sent."""

    def halves(self) -> Iterator[_Part]:
        middle = len(self.rows) // 2
        yield _Part(self.rows[:middle], self.since)
        yield _Part(self.rows[middle:], self.since)


class TableWriter:
    """Sends rows to a table; many threads may share one."""

    def __init__(
        self, table: TableReference, client: InsertClient, retry_seconds: float, clock: Clock
    ) -> None:
        self._table = table
        self._client = client
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._last_answer = float("-inf")
        """When the table last took or refused single rows, whoever sent them."""

    def write(self, rows: Sequence[InsertRow]) -> Written:
        """Returns when every row is inserted or has an error. Raises SinkDownError."""
        written = Written()
        for start in range(0, len(rows), MAX_REQUEST_ROWS):
            end = min(start + MAX_REQUEST_ROWS, len(rows))
            self._write(_Part(range(start, end), self._clock.now()), rows, written)
        return written

    def _write(self, whole: _Part, rows: Sequence[InsertRow], written: Written) -> None:
        """One request, and for as long as that does not pass its halves, breadth first."""
        parts = deque([whole])
        fruitless: list[Unavailable] = []
        while parts:
            part = parts.popleft()
            outcome = self._insert(part, rows, written)
            if isinstance(outcome, Answered):
                parts.extend(self._take(part, outcome, written))
                continue
            if isinstance(outcome, Unavailable):
                fruitless.append(outcome)
                down = len(fruitless) > _FRUITLESS_PARTS and not self._others_pass(whole)
                if down or outcome.remedy:
                    raise SinkDownError(str(self._table), outcome)
            if len(part.rows) > 1:
                parts.extend(part.halves())
            elif isinstance(outcome, Refused):
                written.refused[part.rows[0]] = outcome.error
            else:
                written.failed[part.rows[0]] = RowError("unavailable", outcome.message)
        if fruitless and not self._others_pass(whole):
            raise SinkDownError(str(self._table), fruitless[-1])

    def _take(self, part: _Part, answer: Answered, written: Written) -> Iterator[_Part]:
        """Notes what an answer says; the rows that have to be sent again."""
        self._last_answer = self._clock.now()
        written.refused.update({part.rows[i]: error for i, error in answer.refused.items()})
        if answer.again:
            yield _Part([part.rows[i] for i in answer.again], part.since)

    def _others_pass(self, whole: _Part) -> bool:
        """Whether the table lives, so that it is the rows that fail.

        It may have died just after the first try, hence the second half of the time.
        """
        return self._last_answer >= whole.since + self._retry_seconds / 2

    def _insert(self, part: _Part, rows: Sequence[InsertRow], written: Written) -> Outcome:
        """The first outcome that waiting does not mend; or the last, when the time is over.

        A part whose time is over is sent once.
        """
        body = request_body([rows[index] for index in part.rows])
        if len(body) > MAX_REQUEST_BYTES:
            message = f"{len(body):,} bytes; insertAll takes {MAX_REQUEST_BYTES:,}"
            return Refused(RowError("tooLarge", message))
        retry = 0
        while True:
            written.requests += 1
            outcome = self._sent(body, len(part.rows))
            if not isinstance(outcome, Unavailable):
                return outcome
            wait = wait_before(retry, self._clock.chance(), outcome.retry_after)
            if self._clock.now() + wait > part.since + self._retry_seconds:
                return outcome
            self._tell(outcome, wait)
            self._clock.sleep(wait)
            retry += 1
            written.retries += 1

    def _sent(self, body: bytes, rows: int) -> Outcome:
        try:
            return outcome_of_answer(self._client.insert_encoded(self._table, body), rows)
        except Exception as error:
            outcome = outcome_of_error(error)
            if outcome is None:
                raise
            return outcome

    def _tell(self, outcome: Unavailable, wait: float) -> None:
        if outcome.remedy:
            message = "%s takes no rows: %s. Remedy: %s. Trying again in %.1f s"
            log.error(message, self._table, outcome.message, outcome.remedy, wait)
        else:
            message = "%s takes no rows for now: %s. Trying again in %.1f s"
            log.warning(message, self._table, outcome.message, wait)
