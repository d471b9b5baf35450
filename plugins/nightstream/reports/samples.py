"""A few dead letters of each reason, from the files that the night's job wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_jobs.objects import ObjectChangedError, Objects, SeekableObject
from beam_jobs.runs.manifest import OutputFile, RunManifest
from nightstream.reports.night import Sample

OF_EACH = 3
MAX_ROWS = 100_000
"""Dead letters that are looked at for samples; the table has all."""
_BATCH_ROWS = 1_000
_COLUMNS = (
    "error_code",
    "error_field",
    "error_message",
    "payload",
    "source_uri",
    "source_position",
)


def samples(
    manifest: RunManifest, objects: Objects, notes: list[str]
) -> dict[str, tuple[Sample, ...]]:
    """Up to OF_EACH letters of each code, the commonest code first; `notes` gets what could not be
    read."""
    wanted = {code: min(rows, OF_EACH) for code, rows in manifest.summary.dead_by_code.items()}
    found: dict[str, list[Sample]] = defaultdict(list)
    looked_at = 0
    for batch in _batches(manifest.dead_letters, objects, notes):
        for code in pc.unique(batch.column("error_code")).to_pylist():
            missing = wanted.get(code, OF_EACH) - len(found[code])
            if missing > 0:
                letters = batch.filter(pc.equal(batch.column("error_code"), code))
                found[code] += map(_sample, letters.slice(0, missing).to_pylist())
        looked_at += batch.num_rows
        if looked_at >= MAX_ROWS or all(len(found[code]) >= most for code, most in wanted.items()):
            break
    codes = sorted(found, key=lambda code: (-manifest.summary.dead_by_code.get(code, 0), code))
    return {code: tuple(found[code]) for code in codes}


def _batches(
    files: tuple[OutputFile, ...], objects: Objects, notes: list[str]
) -> Iterator[pa.RecordBatch]:
    for file in files:
        if not file.rows:
            continue
        content = SeekableObject(objects, file.uri, file.size)
        try:
            with pq.ParquetFile(pa.PythonFile(content, mode="r")) as parquet:
                yield from parquet.iter_batches(_BATCH_ROWS, columns=list(_COLUMNS))
        except (OSError, ObjectChangedError, pa.ArrowException) as error:
            notes.append(f"dead letters: {file.uri}: {error}")


def _sample(row: dict[str, object]) -> Sample:
    place = row["source_position"]
    payload = row["payload"]
    return Sample(
        source=f"{row['source_uri'] or ''}{'' if place is None else f' at {place}'}",
        field=str(row["error_field"] or ""),
        message=str(row["error_message"] or ""),
        payload=payload if isinstance(payload, bytes) else b"",
    )
