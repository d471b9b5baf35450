"""The books of a day's requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from nightstream.reconciling.books import DayBooks
from nightstream.reconciling.report import Reconciliation
from nightstream.reconciling.requests import day_differences

BOOKS = DayBooks(date(2026, 1, 5), scored=90, dead=10, scored_rows=95, dead_rows=12, sent_again=4)


def test_doubles_and_requests_sent_again_keep_the_books_closed() -> None:
    assert day_differences(BOOKS) == []
    assert Reconciliation("weights", (), (BOOKS,)).differences == []


@pytest.mark.parametrize(
    ("books", "said"),
    [
        (replace(BOOKS, in_both=1), "1 requests are both scored and dead"),
        (replace(BOOKS, scored_rows=89), "the view has 90 predictions, its table 89"),
        (replace(BOOKS, lost=2), "2 of 4 requests that were sent again are neither"),
        (
            replace(BOOKS, set_aside=("gs://scoring-work/letters/a.json",)),
            "gs://scoring-work/letters/a.json",
        ),
    ],
)
def test_a_contradiction_is_named_with_its_remedy(books: DayBooks, said: str) -> None:
    [difference] = day_differences(books)
    assert said in str(difference)
    assert "Remedy: " in str(difference)
