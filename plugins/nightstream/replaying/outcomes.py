"""What came of the letters that a replay tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects, SeekableObject
from beam_jobs.runs.manifest import OutputFile, RunManifest
from beam_jobs.runs.plan import ReplayOf, RowsFile, RunPlan

_ARROW = {
    "replayed_at": pa.timestamp("us", "UTC"),
    "score_date": pa.date32(),
    "source_position": pa.int64(),
    "published_at": pa.timestamp("us", "UTC"),
}
_PLACE = ["source_uri", "source_position", "error_code"]

Letter = Mapping[str, Any]
Place = tuple[str, int | None]


class Outcome(StrEnum):
    """What became of one dead letter."""

    REPAIRED = "repaired"
    STILL_DEAD = "still_dead"
    SENT = "sent"
    """To the request topic; what came of it, the live tables tell."""


@dataclass(frozen=True)
class Tried:
    """By what the letters of a night were tried."""

    plan: RunPlan
    manifest: RunManifest
    dag_id: str
    run_id: str

    def rows(self, letters: Iterable[Letter], still_dead: Mapping[Place, str]) -> Iterator[Letter]:
        """One row of the replays' table for each letter. still_dead: error codes by place."""
        for letter in letters:
            code = still_dead.get(_place(letter))
            yield {
                "replayed_at": datetime.fromisoformat(self.manifest.finished_at),
                "source": "batch",
                "outcome": str(Outcome.STILL_DEAD if code else Outcome.REPAIRED),
                "error_code": letter["error_code"],
                "still_error_code": code,
                "score_date": self.plan.score_date,
                "source_uri": letter["source_uri"],
                "source_position": letter["source_position"],
                "run_key": self.manifest.run_key,
                "model_version": self.manifest.model_version,
                "dag_id": self.dag_id,
                "run_id": self.run_id,
            }


def tried_letters(replay: ReplayOf, objects: Objects) -> Iterator[Letter]:
    """Place and error code of each letter that was tried."""
    return _letters(replay.tried, objects)


def still_dead(manifest: RunManifest, replay: ReplayOf, objects: Objects) -> dict[Place, str]:
    """Of the letters that were tried, those that are dead again: error codes by place."""
    files = [file for file in manifest.dead_letters if file.uri != replay.left.uri]
    return {
        _place(letter): letter["error_code"] for file in files for letter in _letters(file, objects)
    }


def outcomes_table(rows: Iterable[Letter], columns: Iterable[str]) -> pa.Table:
    """The rows under those columns, null where a row does not say."""
    schema = pa.schema([(name, _ARROW.get(name, pa.string())) for name in columns])
    return pa.Table.from_pylist([dict(row) for row in rows], schema)


def _letters(file: RowsFile | OutputFile, objects: Objects) -> Iterator[Letter]:
    content = SeekableObject(objects, file.uri, file.size)
    with pq.ParquetFile(pa.PythonFile(content, mode="r")) as parquet:
        for batch in parquet.iter_batches(columns=_PLACE):
            yield from batch.to_pylist()


def _place(letter: Letter) -> Place:
    return letter["source_uri"], letter["source_position"]
