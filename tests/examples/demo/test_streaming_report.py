"""The demo's tables of the streaming job fit a terminal and say what they were given."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from beam_jobs.send.answers import Summary
from beam_jobs.send.report import tell
from beam_jobs.send.sending import Order, Outcome
from examples.babyweight.requests import make_requests
from examples.demo.metrics import JobMetrics, Spread
from examples.demo.streaming_books import FoundRequests
from examples.demo.streaming_report import (
    sender_latencies,
    show_latencies,
    show_metrics,
    show_requests,
    show_scored,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FOUND = FoundRequests(
    scored=tuple(
        {
            "request_id": f"then-{index}",
            "is_male": "Unknown",
            "mother_age": 31.0,
            "plurality": "Quintuplets(5)",
            "gestation_weeks": 39.0,
            "weight_pounds": 7.5,
            "predicted_weight_pounds": 7.25,
            "published_at": NOON,
            "scored_at": NOON + timedelta(milliseconds=41),
        }
        for index in range(1986)
    ),
    dead=({"request_id": "then-1986", "error_code": "not_json", "payload": b"{"},),
)
METRICS = JobMetrics(
    {"requests": 2000, "scored": 1986, "dead_not_json": 2, "publish_to_scored_ms_le_50": 1986},
    {"rows_per_batch": Spread(100, 2000, 44)},
    {"last_event_time_ms": 1_700_000_000_000},
)


def console() -> Console:
    return Console(file=io.StringIO(), width=80)


def shown(terminal: Console) -> list[str]:
    assert isinstance(terminal.file, io.StringIO)
    lines = [line.rstrip() for line in terminal.file.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    return [" ".join(line.split()) for line in lines if line]


def test_latencies_are_read_from_what_the_sender_says() -> None:
    answers = Summary(3, {"scored": 3}, [0.041, 0.052, 1.5])
    order = Order("projects/p/topics/t", [b"{}"], 3, id_prefix="then-")
    told = "\n".join(tell(order, Outcome(3, 3, 1.0, answers)))
    assert sender_latencies(told) == {"p50": 52, "p95": 1500, "p99": 1500}
    assert sender_latencies("nothing was answered") == {}


def test_each_outcome_stands_as_expected_as_found_and_as_counted() -> None:
    terminal = console()
    show_requests(terminal, make_requests(2000), FOUND, METRICS)
    lines = shown(terminal)
    assert "scored 1,986 1,986 1,986" in lines
    assert "dead: not_json 2 1 2" in lines
    assert "dead: not_utf8 2 0 0" in lines
    assert "all 2,000 1,987 2,000" in lines


def test_latencies_stand_side_by_side_also_where_one_is_unknown() -> None:
    terminal = console()
    show_latencies(terminal, {"p50": 52.0, "p95": 60.0}, FOUND.milliseconds("then-"))
    lines = shown(terminal)
    assert "… to its prediction, as the table says 41 41 41" in lines
    assert "… to its answer, as the sender saw it 52 60 -" in lines
    show_latencies(terminal, {}, [])
    assert "… to its prediction, as the table says" in shown(terminal)


def test_samples_come_from_the_whole_run() -> None:
    terminal = console()
    show_scored(terminal, FOUND)
    lines = shown(terminal)
    assert "then-0 Unknown 31 Quintuplets(5) 39 7.50 7.25 41" in lines
    assert any(line.startswith("then-1588 ") for line in lines)


def test_metrics_are_told_with_their_percentiles() -> None:
    terminal = console()
    show_metrics(terminal, "babyweight-live-a", METRICS)
    lines = shown(terminal)
    assert "requests 2,000" in lines
    assert "rows_per_batch mean 20.0, max 44" in lines
    assert "scored within, p99 ≤ 50 ms" in lines
    assert "last_event_time_ms 1700000000000 (22:13:20 UTC)" in lines
