"""Which night a DAG run is about."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pendulum
import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

from beam_jobs.runs.plan import Interval
from beam_jobs.spec.service import ScheduleSpec
from nightstream.nights import last_night, nights_before, scheduled_interval, score_date_of

NEW_YORK = ScheduleSpec(cron="0 2 * * *", timezone="America/New_York", start=date(2026, 1, 1))
WEEKDAYS = ScheduleSpec(cron="0 5 * * 1-5", timezone="Europe/Zurich", start=date(2026, 1, 1))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("interval", "night"),
    [
        ((utc(2026, 1, 5, 7), utc(2026, 1, 6, 7)), date(2026, 1, 5)),
        # The clocks go forward on 8 March at two, and back on 1 November.
        ((utc(2026, 3, 7, 7), utc(2026, 3, 8, 7)), date(2026, 3, 7)),
        ((utc(2026, 3, 8, 7), utc(2026, 3, 9, 6)), date(2026, 3, 8)),
        ((utc(2026, 10, 31, 6), utc(2026, 11, 1, 7)), date(2026, 10, 31)),
        ((utc(2026, 11, 1, 7), utc(2026, 11, 2, 7)), date(2026, 11, 1)),
        # Airflow's interval of a manual run on 8 March has no length: its night is not over.
        ((utc(2026, 3, 8, 7), utc(2026, 3, 8, 7)), date(2026, 3, 7)),
    ],
)
def test_a_night_is_the_local_day_on_which_the_data_interval_starts(
    interval: tuple[datetime, datetime], night: date
) -> None:
    given = Interval(start=interval[0], end=interval[1])

    assert score_date_of(given, NEW_YORK, asked_at=utc(2026, 12, 1)) == night


def test_the_local_day_may_differ_from_that_of_utc() -> None:
    early = ScheduleSpec(cron="30 0 * * *", timezone="Asia/Tokyo", start=date(2026, 1, 1))
    interval = Interval(start=utc(2026, 1, 4, 15, 30), end=utc(2026, 1, 5, 15, 30))

    assert score_date_of(interval, early, asked_at=utc(2026, 1, 6)) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("asked_at", "night"),
    [
        (utc(2026, 1, 6, 6, 59, 59), date(2026, 1, 4)),
        (utc(2026, 1, 6, 7), date(2026, 1, 5)),
        (utc(2026, 1, 7, 6), date(2026, 1, 5)),
        (utc(2026, 3, 8, 7), date(2026, 3, 7)),
        (utc(2026, 3, 9, 5), date(2026, 3, 7)),
    ],
)
def test_a_run_without_an_interval_is_about_the_last_night_that_was_over(
    asked_at: datetime, night: date
) -> None:
    assert score_date_of(None, NEW_YORK, asked_at) == night


def test_on_a_monday_the_last_night_of_a_weekday_schedule_began_on_friday() -> None:
    assert last_night(WEEKDAYS, utc(2026, 1, 12, 8)) == date(2026, 1, 9)


def test_a_schedule_leaves_out_days() -> None:
    assert scheduled_interval(WEEKDAYS, date(2026, 1, 10)) is None
    assert scheduled_interval(WEEKDAYS, date(2026, 1, 9)) == Interval(
        start=utc(2026, 1, 9, 4), end=utc(2026, 1, 12, 4)
    )


def test_the_nights_before_one_are_those_of_the_schedule() -> None:
    assert nights_before(WEEKDAYS, date(2026, 1, 13), 3) == [
        date(2026, 1, 12),
        date(2026, 1, 9),
        date(2026, 1, 8),
    ]


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("0 2 * * *", "America/New_York"),
        ("30 1 * * *", "America/New_York"),
        ("30 2 * * *", "Europe/Zurich"),
        ("0 0 * * *", "Africa/Cairo"),
        ("0 2 * * *", "Australia/Lord_Howe"),
        ("0 2 1 * *", "Asia/Kolkata"),
    ],
)
def test_every_interval_that_airflow_schedules_has_a_night_of_its_own(cron: str, zone: str) -> None:
    schedule = ScheduleSpec(cron=cron, timezone=zone, start=date(2026, 1, 1))
    timetable = CronDataIntervalTimetable(cron, zone)
    restriction = TimeRestriction(pendulum.datetime(2026, 1, 1, tz=zone), None, catchup=True)
    nights, last = [], None
    for _ in range(370):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        assert info is not None
        last = info.data_interval
        interval = Interval(start=last.start, end=last.end)
        night = score_date_of(interval, schedule, asked_at=utc(2030, 1, 1))
        assert scheduled_interval(schedule, night) == interval
        assert last_night(schedule, last.end) == night
        nights.append(night)

    assert len(set(nights)) == 370
