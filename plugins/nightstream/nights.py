"""Which night a DAG run is about.

A night is named by its score date, the day on which its data interval starts in the spec's
timezone. The logical date never names it: for one and the same night it differs between a
scheduled run, a backfill and a manual trigger.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from beam_jobs.runs.plan import Interval
from beam_jobs.spec.service import ScheduleSpec


def score_date_of(interval: Interval | None, schedule: ScheduleSpec, asked_at: datetime) -> date:
    """The score date of a DAG run that was not told one.

    It is the day on which the run's data interval starts, in the spec's timezone. A run without
    one (a manual trigger without a logical date) is about the last night that was over when it was
    asked for.
    """
    # Where the clock skips the hour of the schedule, Airflow gives a manual run of that day an
    # interval without length.
    if interval is not None and interval.start < interval.end:
        return interval.start.astimezone(ZoneInfo(schedule.timezone)).date()
    return last_night(schedule, asked_at if interval is None else interval.end)


def last_night(schedule: ScheduleSpec, now: datetime) -> date:
    """The score date of the last night whose data interval had ended by `now`."""
    local = now.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    end = _fire_before(schedule, local + timedelta(microseconds=1))
    return _fire_before(schedule, end).date()


def scheduled_interval(schedule: ScheduleSpec, score_date: date) -> Interval | None:
    """The data interval that the schedule gives a score date; None on a day it leaves out."""
    midnight = datetime.combine(score_date, datetime.min.time())
    start = _fire_after(schedule, midnight - timedelta(microseconds=1))
    if start.date() != score_date:
        return None
    end = _fire_after(schedule, start)
    return Interval(start=_instant(start, schedule), end=_instant(end, schedule))


def nights_before(schedule: ScheduleSpec, score_date: date, count: int) -> list[date]:
    """The score dates of the nights before one, latest first."""
    fire = datetime.combine(score_date, datetime.min.time())
    nights: list[date] = []
    while len(nights) < count:
        fire = _fire_before(schedule, fire)
        nights.append(fire.date())
    return nights


def _fire_before(schedule: ScheduleSpec, local: datetime) -> datetime:
    """Wall-clock time of the last firing strictly before a wall-clock time."""
    return croniter(schedule.cron, local).get_prev(datetime)


def _fire_after(schedule: ScheduleSpec, local: datetime) -> datetime:
    return croniter(schedule.cron, local).get_next(datetime)


def _instant(local: datetime, schedule: ScheduleSpec) -> datetime:
    """The moment at which a wall clock shows a time, as Airflow's timetable has it.

    Of a time shown twice the second moment; a time that is skipped is as much later.
    """
    zone = ZoneInfo(schedule.timezone)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return second
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
