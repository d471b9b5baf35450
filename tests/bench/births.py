"""Requests for the benchmarks: real births, drawn again and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from examples.babyweight.births import load_births, without_ultrasound

_CHUNK_ROWS = 1_000_000
_SEED = 20_260_101


def births_csv(rows: int, cache: Path) -> Path:
    """A CSV file of so many births with unique keys, made once; the same bytes every time."""
    path = cache / f"births-{rows}.csv"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    known = load_births()
    population = pa.Table.from_pandas(
        pd.concat([known, known, without_ultrasound(known)]), preserve_index=False
    )
    random = np.random.default_rng(_SEED)
    unfinished = path.with_suffix(".part")
    schema = population.schema
    with csv.CSVWriter(unfinished, schema, write_options=_UNQUOTED) as writer:
        for start in range(0, rows, _CHUNK_ROWS):
            count = min(_CHUNK_ROWS, rows - start)
            chosen = population.take(pa.array(random.integers(population.num_rows, size=count)))
            keys = pa.array([f"birth-{number:08d}" for number in range(start, start + count)])
            column = chosen.schema.get_field_index("key")
            writer.write(
                chosen.set_column(
                    column, schema.field(column), keys.cast(schema.field(column).type)
                )
            )
    return unfinished.rename(path)


_UNQUOTED = csv.WriteOptions(quoting_style="none")
