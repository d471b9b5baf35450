"""What is wrong with the books of a day's requests. Pure.

How many requests there were, Pub/Sub does not tell: a message is acknowledged once each of its
requests stands in a table, and that is what is counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from nightstream.reconciling.books import DayBooks, Difference


def day_differences(books: DayBooks) -> list[Difference]:
    """Empty where each request is scored or dead, and none is both."""
    return list(_differences(books))


def _differences(books: DayBooks) -> Iterator[Difference]:
    where = f"requests of {books.day}"
    if books.in_both:
        yield Difference(
            where,
            f"{books.in_both:,} requests are both scored and dead by the views",
            "trigger the streaming DAG, whose next launch brings the views up to date",
        )
    for what, requests, rows in (
        ("predictions", books.scored, books.scored_rows),
        ("dead letters", books.dead, books.dead_rows),
    ):
        if requests > rows:
            yield Difference(
                where,
                f"the view has {requests:,} {what}, its table {rows:,} rows",
                "trigger the streaming DAG, whose next launch brings the views up to date",
            )
    if books.lost:
        yield Difference(
            where,
            f"{books.lost:,} of {books.sent_again:,} requests that were sent again are neither "
            "scored nor dead",
            "wait until the job has read them; then replay them again",
        )
    for uri in books.set_aside:
        yield Difference(
            where, f"{uri} holds a dead letter that its table refused", "mend the table, insert it"
        )
