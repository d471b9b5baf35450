"""A worker process that scores one micro-batch and tells what became of it.

python -m tests.support.score_live PLAN_FILE WEEKS…
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from beam_jobs.prediction.live.handler import LiveModelHandler
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.predict import settle
from tests.support.live_requests import valid_batch


def main(plan_file: str, *weeks: str) -> None:
    logging.basicConfig(level=logging.INFO)
    plan = StreamingPlan.model_validate_json(Path(plan_file).read_bytes())
    handler: LiveModelHandler = LiveModelHandler(plan, settle)
    batch = valid_batch([float(week) for week in weeks])
    (scored,) = handler.run_inference([batch], handler.load_model())
    dead = scored.dead.to_pylist()
    print(
        json.dumps(
            {
                "weights": scored.outputs.column("weight").to_pylist(),
                "positions": scored.positions.to_pylist(),
                "dead": [{**row, "payload": row["payload"].decode()} for row in dead],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
