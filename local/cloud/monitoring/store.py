"""The sampled points, on disk: SQLite, so that a kill -9 between two samples loses nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from local.cloud.monitoring.series import Labels, Point, Reading, Series, series_of

RETENTION_SECONDS = 24 * 3600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    metric TEXT NOT NULL,
    resource TEXT NOT NULL,
    labels TEXT NOT NULL,
    UNIQUE (metric, resource, labels)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL,
    time REAL NOT NULL,
    since REAL NOT NULL,
    value NOT NULL,
    PRIMARY KEY (series, time)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS points_by_time ON points (time);
CREATE TABLE IF NOT EXISTS asked (
    project TEXT NOT NULL,
    filter TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (project, filter)
);
"""

Chooses = Callable[[Labels, Labels], bool]
"""Whether a series is wanted, by the labels of its resource and its own."""


class PointStore:
    """Readings of the last day. Safe for many threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def add(self, time: float, readings: Iterable[Reading]) -> None:
        """Keeps what was read at one moment, all of it or nothing, and forgets what is too old."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            for reading in readings:
                key = (reading.metric, _text(reading.resource), _text(reading.labels))
                self._database.execute("INSERT OR IGNORE INTO series VALUES (NULL, ?, ?, ?)", key)
                self._database.execute(
                    "INSERT OR REPLACE INTO points SELECT id, ?, ?, ? FROM series"
                    " WHERE metric = ? AND resource = ? AND labels = ?",
                    (time, reading.since, reading.value, *key),
                )
            oldest = time - RETENTION_SECONDS
            if self._database.execute("DELETE FROM points WHERE time < ?", (oldest,)).rowcount:
                self._database.execute(
                    "DELETE FROM series WHERE id NOT IN (SELECT series FROM points)"
                )

    def ask(self, project: str, filter: str, time: float) -> None:
        """Notes that a client asked, now, for what is sampled on demand only."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO asked VALUES (?, ?, ?)", (project, filter, time)
            )

    def asked(self, since: float) -> list[tuple[str, str]]:
        """The projects and filters asked for since then; forgets the others."""
        with self._lock:
            self._database.execute("DELETE FROM asked WHERE time < ?", (since,))
            return self._database.execute("SELECT project, filter FROM asked").fetchall()

    def read(self, metric: str, chooses: Chooses, after: float, until: float) -> list[Series]:
        """The series of a metric with their points in (after, until], or at `until` where the two
        are equal; series without any are left out."""
        with self._lock:
            found = self._database.execute(
                "SELECT id, resource, labels FROM series WHERE metric = ?"
                " ORDER BY resource, labels",
                (metric,),
            ).fetchall()
            chosen = [(id, json.loads(r), json.loads(labels)) for id, r, labels in found]
            read = [
                series_of(metric, resource, labels, self._samples(id, after, until))
                for id, resource, labels in chosen
                if chooses(resource, labels)
            ]
        wanted = (s.with_points(_within(s.points, after, until)) for s in read)
        return [series for series in wanted if series.points]

    def _samples(self, series: int, after: float, until: float) -> list[Point]:
        """What was sampled in that time, oldest first, and the sample before it."""
        rows = self._database.execute(
            "SELECT since, time, value FROM points WHERE series = ? AND time <= ? AND time >="
            " coalesce((SELECT max(time) FROM points WHERE series = ? AND time <= ?), ?)"
            " ORDER BY time",
            (series, until, series, after - 1e-6, after),
        )
        return [Point(*row) for row in rows]


def _within(points: list[Point], after: float, until: float) -> list[Point]:
    if after == until:
        return [point for point in points if point.end == until]
    return [point for point in points if after < point.end <= until]


def _text(labels: Labels) -> str:
    return json.dumps(labels, sort_keys=True)
