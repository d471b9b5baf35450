"""A worker process that scores one micro-batch and tells what became of it."""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.prediction.live.handler import LiveModelHandler
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.predict import settle_requests
from tests.support.live_requests import valid_batch
from tests.support.patience import PATIENCE_S


class WorkerEnd(NamedTuple):
    exit_code: int | None
    scored: dict[str, Any] | None
    """None when the worker ended before it had scored."""
    log: str


def score_in_worker(plan: StreamingPlan, weeks: Sequence[float], folder: Path) -> WorkerEnd:
    """How a new worker process ends that is given those requests."""
    for file in (folder / "scored.json", folder / "log"):
        file.unlink(missing_ok=True)
    # Forked from a server that has imported everything already: imports take seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    worker = context.Process(target=_score, args=(plan.model_dump_json(), weeks, folder))
    worker.start()
    worker.join(PATIENCE_S)
    scored = folder / "scored.json"
    return WorkerEnd(
        worker.exitcode,
        json.loads(scored.read_text()) if scored.exists() else None,
        (folder / "log").read_text(),
    )


def _score(plan: str, weeks: Sequence[float], folder: Path) -> None:
    logging.basicConfig(filename=folder / "log")
    handler: LiveModelHandler = LiveModelHandler(
        StreamingPlan.model_validate_json(plan), settle_requests
    )
    (scored,) = handler.run_inference([valid_batch(weeks)], handler.load_model())
    dead = [{**row, "payload": row["payload"].decode()} for row in scored.dead.to_pylist()]
    told = {
        "weights": scored.outputs.column("weight").to_pylist(),
        "positions": scored.positions.to_pylist(),
        "dead": dead,
        "scored_by": scored.scored_by,
    }
    (folder / "scored.json").write_text(json.dumps(told))
