"""When a streaming job's process says that it may begin."""

from __future__ import annotations

import time
from pathlib import Path

from local.cloud.dataflow.worker.streaming.readiness import ready_after
from tests.support.dataflow_cloud import eventually


def test_a_process_is_ready_once_it_has_set_up_its_pipeline(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with ready_after(ready, patience=60):
        time.sleep(0.2)
        assert not ready.exists()
    assert ready.exists()


def test_a_process_that_sets_up_for_too_long_is_ready_all_the_same(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with ready_after(ready, patience=0.1):
        assert eventually(ready.exists)
