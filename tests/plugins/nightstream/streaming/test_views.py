"""What the unique views show, whatever was inserted, and in whatever order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.nightstream.streaming.conftest import (
    DAY,
    DEAD_LETTERS,
    PREDICTIONS,
    TODAY,
    Live,
    dead,
    scored,
)

Event = tuple[str, dict[str, Any]]
"""A table and a row of it."""


def predictions(live: Live, request: str) -> list[tuple[Any, ...]]:
    return live.view(PREDICTIONS, "weight", f"request_id = '{request}'")


def dead_letters(live: Live, request: str) -> list[tuple[Any, ...]]:
    return live.view(DEAD_LETTERS, "error_code", f"request_id = '{request}'")


def test_of_duplicates_the_first_scored_is_shown(live: Live) -> None:
    live.insert(PREDICTIONS, scored("a", 2.0, after=9), scored("a", 1.0, after=3))
    assert predictions(live, "a") == [(1.0,)]


def test_a_late_duplicate_changes_nothing(live: Live) -> None:
    live.insert(PREDICTIONS, scored("b", 1.0, after=3))
    live.insert(PREDICTIONS, scored("b", 2.0, after=3600))
    assert predictions(live, "b") == [(1.0,)]


def test_a_replay_under_its_first_identity_changes_nothing(live: Live) -> None:
    live.insert(PREDICTIONS, scored("c", 1.0, after=3, day=-2))
    live.insert(PREDICTIONS, scored("c", 2.0, after=2 * 24 * 3600, day=-2))
    assert predictions(live, "c") == [(1.0,)]


def test_of_rows_scored_at_one_moment_always_the_same_is_shown(live: Live) -> None:
    rows = [scored("d", float(n), message=f"m{n}") for n in range(20)]
    random.Random(4).shuffle(rows)
    for row in rows:
        live.insert(PREDICTIONS, row)
    assert predictions(live, "d") == [(0.0,)]


def test_one_name_on_two_days_is_two_requests(live: Live) -> None:
    live.insert(PREDICTIONS, scored("e", 1.0), scored("e", 2.0, day=-1))
    assert live.view(PREDICTIONS, "publish_date, weight", "request_id = 'e'") == [
        ((TODAY - DAY).date(), 2.0),
        (TODAY.date(), 1.0),
    ]


def test_a_request_that_is_scored_after_it_was_dead_is_no_dead_letter_any_more(live: Live) -> None:
    live.insert(DEAD_LETTERS, dead("f", after=1))
    assert dead_letters(live, "f") == [("NOT_JSON",)]
    live.insert(PREDICTIONS, scored("f", after=5))
    assert dead_letters(live, "f") == []
    assert predictions(live, "f") == [(1.0,)]


def test_a_request_that_is_dead_after_it_was_scored_is_scored(live: Live) -> None:
    live.insert(PREDICTIONS, scored("g", after=1))
    live.insert(DEAD_LETTERS, dead("g", after=5))
    assert dead_letters(live, "g") == []
    assert predictions(live, "g") == [(1.0,)]


def test_a_request_that_was_scored_on_another_day_is_a_dead_letter_of_its_own(live: Live) -> None:
    live.insert(PREDICTIONS, scored("h", day=-1))
    live.insert(DEAD_LETTERS, dead("h"))
    assert dead_letters(live, "h") == [("NOT_JSON",)]


def test_of_dead_letters_the_first_is_shown_whole(live: Live) -> None:
    live.insert(DEAD_LETTERS, dead("i", "LATER", after=2), dead("i", "FIRST", after=1))
    columns = "publish_date, error_code, message_id, source_position"
    assert live.view(DEAD_LETTERS, columns, "request_id = 'i'") == [(TODAY.date(), "FIRST", "m", 0)]


def test_a_day_is_asked_for_by_its_publish_date(live: Live) -> None:
    live.insert(PREDICTIONS, scored("j1", day=-3), scored("j2", day=-4))
    live.insert(DEAD_LETTERS, dead("j3", day=-3), dead("j4", day=-4))
    day = f"publish_date = '{(TODAY - 3 * DAY).date()}'"
    assert live.view(PREDICTIONS, "request_id", day) == [("j1",)]
    assert live.view(DEAD_LETTERS, "request_id", day) == [("j3",)]


REQUESTS, DAYS = st.sampled_from("pq"), st.sampled_from((0, -1))
EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda request, day, after, weight: (
                PREDICTIONS,
                scored(request, weight, after, day, message=f"m{weight}"),
            ),
            REQUESTS,
            DAYS,
            st.integers(0, 2),
            st.integers(0, 2).map(float),
        ),
        st.builds(
            lambda request, day, after, code: (
                DEAD_LETTERS,
                dead(request, code, after, day, message=code),
            ),
            REQUESTS,
            DAYS,
            st.integers(0, 2),
            st.sampled_from(("A", "B")),
        ),
    ),
    max_size=12,
)


def expected(events: Iterable[Event]) -> tuple[list[Any], list[Any]]:
    """Both views, as the words in the design have them: publish day, request, value."""
    first: dict[str, dict[tuple[str, str], tuple[Any, ...]]] = {PREDICTIONS: {}, DEAD_LETTERS: {}}
    for table, row in events:
        when, what = ("scored_at", "weight") if table == PREDICTIONS else ("dead_at", "error_code")
        key = (row["published_at"][:10], row["request_id"])
        candidate = (row[when], row["message_id"], row[what])
        first[table][key] = min(first[table].get(key, candidate), candidate)
    alive, lost = (
        {key: rank[-1] for key, rank in first[table].items()}
        for table in (PREDICTIONS, DEAD_LETTERS)
    )
    return (
        sorted((*key, value) for key, value in alive.items()),
        sorted((*key, value) for key, value in lost.items() if key not in alive),
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS, cuts=st.lists(st.integers(0, 12), max_size=3), shuffle=st.randoms())
def test_whatever_way_rows_come_in_the_views_show_the_same(
    live: Live, events: list[Event], cuts: list[int], shuffle: random.Random
) -> None:
    shuffle.shuffle(events)
    prefix = uuid.uuid4().hex
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        for table in (PREDICTIONS, DEAD_LETTERS):
            rows = [row for name, row in events[begin:end] if name == table]
            named = [row | {"request_id": prefix + row["request_id"]} for row in rows]
            if named:
                live.insert(table, *named)

    shown = tuple(
        live.view(
            table,
            f"CAST(publish_date AS STRING), SUBSTR(request_id, {len(prefix) + 1}), {value}",
            f"STARTS_WITH(request_id, '{prefix}')",
        )
        for table, value in ((PREDICTIONS, "weight"), (DEAD_LETTERS, "error_code"))
    )
    assert shown == expected(events)
