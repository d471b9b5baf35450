"""Which dead letters a replay tries, and the queries that find them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from beam_jobs.runs.dead_letter import DEAD_LETTER_COLUMNS
from nightstream.tables import PARTITION_COLUMN, TableId


class ChoiceError(ValueError):
    """A choice that cannot be made; the message says why and how to mend it."""


@dataclass(frozen=True)
class LetterChoice:
    """Dead letters of some days, by code and condition."""

    first: date
    last: date
    """Inclusive."""
    codes: tuple[str, ...] = ()
    """Error codes; empty: all."""
    condition: str | None = None
    """GoogleSQL over the columns of the dead-letter table."""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ChoiceError(
                f"the last day {self.last} is before the first, {self.first}. "
                "Remedy: exchange the two"
            )

    @property
    def sql(self) -> str:
        """The choice but for the days, as a condition that is never null."""
        by_code = "error_code IN UNNEST(@codes)" if self.codes else "TRUE"
        # The line break ends a comment that the condition may end with.
        return f"COALESCE({by_code} AND ({self.condition or 'TRUE'}\n), FALSE)"


def nights_query(table: TableId, choice: LetterChoice) -> str:
    """How many of the letters each night has, and of them with which code. Parameters: @first,
    @last, @codes."""
    return (
        f"SELECT {PARTITION_COLUMN} AS night, error_code, COUNT(*) AS letters FROM `{table}` "
        f"WHERE {PARTITION_COLUMN} BETWEEN @first AND @last AND {choice.sql} "
        "GROUP BY night, error_code ORDER BY night, error_code"
    )


def letters_query(table: TableId, choice: LetterChoice) -> str:
    """All dead letters of one night, in an order that is always the same, and which of them are
    chosen. Parameters: @first (the night), @codes."""
    columns = ", ".join(DEAD_LETTER_COLUMNS)
    return (
        f"SELECT {columns}, {choice.sql} AS chosen FROM `{table}` "
        f"WHERE {PARTITION_COLUMN} = @first "
        "ORDER BY source_uri, source_position, error_code, payload"
    )


def live_letters_query(view: TableId, choice: LetterChoice) -> str:
    """The requests of some days of publishing that were not scored. Parameters: @first, @last,
    @codes."""
    return (
        "SELECT request_id, message_id, source_position, published_at, event_time, payload, "
        f"payload_uri, error_code FROM `{view}` "
        f"WHERE publish_date BETWEEN @first AND @last AND {choice.sql} "
        "ORDER BY published_at, message_id, source_position, request_id"
    )


def parameters(
    choice: LetterChoice, night: date | None = None
) -> dict[str, date | tuple[str, ...]]:
    """What the queries' parameters stand for; of one night's letters with that night."""
    if night is not None:
        days: dict[str, date | tuple[str, ...]] = {"first": night}
    else:
        days = {"first": choice.first, "last": choice.last}
    return {**days, "codes": choice.codes} if choice.codes else days
