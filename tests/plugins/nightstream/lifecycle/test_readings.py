"""What readings come to over a window."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from nightstream.lifecycle.health import Health
from nightstream.lifecycle.readings import Reading, first_reading, health_over, kept
from nightstream.lifecycle.table.examples import NOW, ago

WINDOW = timedelta(minutes=5)


def read(minutes: float, requests: int | None = None, **more: float | None) -> Reading:
    return Reading.model_validate({"at": ago(minutes), "requests": requests, **more})


def over(*readings: Reading, since_minutes: float = 600) -> Health:
    found = health_over(readings, WINDOW, ago(since_minutes), NOW)
    assert found is not None
    return found


def test_only_the_growth_within_the_window_counts() -> None:
    assert over(read(20, 100), read(6, 500), read(3, 700), read(0, 900)).requests == 400


def test_the_growth_is_that_since_the_last_reading_before_the_window() -> None:
    found = over(read(6, 500), read(0, 900))
    assert (found.requests, found.seconds) == (400, 360)


def test_a_job_began_at_zero() -> None:
    assert over(first_reading(ago(2)), read(0, 900)).requests == 900


def test_nothing_waits_for_a_job_before_it_runs() -> None:
    assert over(first_reading(ago(4)), read(0, 0), since_minutes=1).seconds == 60


def test_a_counter_that_went_back_is_unknown() -> None:
    assert over(read(6, 500), read(0, 400)).requests is None


def test_a_missing_reading_is_unknown_never_zero() -> None:
    assert over(read(6, 500), read(0)).requests is None
    assert over(read(6), read(0, 400)).requests is None
    assert over(read(6, 500), read(0, 500)).backlog is None


def test_a_job_that_was_not_read_this_time_is_of_unknown_health() -> None:
    assert health_over((read(6, 1), read(1, 2)), WINDOW, ago(60), NOW) is None
    assert health_over((), WINDOW, ago(60), NOW) is None


def test_what_was_before_another_revision_took_over_does_not_count() -> None:
    found = over(read(6, 500), read(2, 700), read(0, 900), since_minutes=2)
    assert (found.requests, found.seconds) == (200, 120)


def test_the_lag_is_that_of_the_watermark_or_else_since_the_last_event() -> None:
    known = over(read(1, 0), read(0, 0, watermark_age_seconds=70))
    by_event = Reading(at=NOW, requests=0, last_event_at=ago(3))
    assert known.lag_seconds == 70
    assert over(read(1, 0), by_event).lag_seconds == 180
    assert over(read(1, 0), read(0, 0)).lag_seconds is None


def test_lag_and_backlog_before_are_the_first_that_are_known_in_the_window() -> None:
    found = over(
        read(9, 0, watermark_age_seconds=1, backlog=1),
        read(6, 0),
        read(4, 0, watermark_age_seconds=50, backlog=5),
        read(2, 0, watermark_age_seconds=90, backlog=9),
        read(0, 0, watermark_age_seconds=99, backlog=11),
    )
    assert (found.lag_before, found.backlog_before) == (50, 5)


def test_readings_are_kept_for_a_window_and_one_before() -> None:
    readings = (read(20, 1), read(9, 2), read(6, 3), read(4, 4))
    assert kept(readings, read(0, 5), WINDOW) == (*readings[2:], read(0, 5))


def test_a_reading_that_is_not_newer_adds_nothing() -> None:
    readings = (read(4, 1), read(0, 2))
    assert kept(readings, read(0, 2), WINDOW) == readings
    assert kept(readings, read(2, 1), WINDOW) == readings


@given(st.lists(st.floats(0.1, 4), min_size=1, max_size=30))
def test_what_is_kept_says_as_much_of_the_window_as_all_readings_would(gaps: list[float]) -> None:
    minutes = [sum(gaps[index:]) for index in range(len(gaps))]
    every = [*(read(m, index * 10) for index, m in enumerate(minutes)), read(0, len(gaps) * 10)]
    held: tuple[Reading, ...] = ()
    for reading in every:
        held = kept(held, reading, WINDOW)
    assert over(*held) == over(*every)
