"""What a streaming job's process writes of its metrics."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.worker.streaming.metrics import StreamingMetrics
from local.cloud.dataflow.worker.streaming.steps import Steps


class NoSteps:
    """Steps that have counted nothing."""

    def infos(self, collections: Mapping[tuple[str, str | None], str]) -> list[Any]:  # noqa: ARG002
        return []


def test_the_last_write_waits_for_the_one_that_is_under_way(tmp_path: Path) -> None:
    begun, goes_on, writing, most = threading.Event(), threading.Event(), 0, 0

    def health() -> dict[str, Any]:
        nonlocal writing, most
        writing += 1
        most = max(most, writing)
        begun.set()
        goes_on.wait()
        writing -= 1
        return {}

    steps = cast("Steps", NoSteps())
    pipeline = beam_runner_api_pb2.Pipeline()
    with StreamingMetrics(JobFolder(tmp_path), pipeline, steps, health):
        begun.wait()
        threading.Timer(0.3, goes_on.set).start()

    assert most == 1
    assert (tmp_path / "metrics.pb").exists()
