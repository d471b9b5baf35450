"""What streaming workers might have counted of a service with one feature, weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from beam_jobs.runs.profiles import LiveProfile
from tests.support.histograms import numbers

END = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When the hours end that are looked at."""
LIMITS: dict[str, Any] = {
    "reference": {"psi": {"warn": 0.1, "stop": 0.25}},
    "min_rows": 100,
    "live": {"hours": 3},
}


def a_profile(
    counts: Sequence[int], minutes_ago: int = 10, version: str = "v1", edges: int = 0
) -> LiveProfile:
    end = END - timedelta(minutes=minutes_ago)
    return LiveProfile(
        worker="w",
        sequence=minutes_ago,
        window_start=end - timedelta(minutes=1),
        window_end=end,
        model_version=version,
        revision="r",
        scored=sum(counts),
        features={"weeks": numbers(counts, edges=edges)},
        predictions={},
    )
