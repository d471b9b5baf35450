"""The yardstick: what one writes by hand to score a CSV file, without any framework.

python -m tests.bench.script INPUT.csv MODEL_FOLDER OUTPUT.parquet
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

BATCH_ROWS = 65_536
ROW_GROUP_ROWS = 8 * BATCH_ROWS
TEXT = pa.dictionary(pa.int32(), pa.string())


def constant(value: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([value]))


def score(source: Path, model_folder: Path, output: Path) -> int:
    """Scores every row; their number."""
    description = json.loads((model_folder / "model.json").read_text())
    features = [column["name"] for column in description["inputs"]]
    (prediction,) = (column["name"] for column in description["outputs"])
    model = joblib.load(model_folder / description["artifact"])

    text = {name: pa.string() for name in ("is_male", "plurality", "key")}
    numbers = {name: pa.float64() for name in ("weight_pounds", "mother_age", "gestation_weeks")}
    table = csv.read_csv(
        source, convert_options=csv.ConvertOptions(column_types={**text, **numbers})
    )
    schema = pa.schema(
        [
            ("score_date", pa.date32()),
            *table.schema,
            (prediction, pa.float64()),
            ("model_version", TEXT),
            ("scored_at", pa.timestamp("us", "UTC")),
            ("run_key", TEXT),
            ("source_uri", TEXT),
            ("source_position", pa.int64()),
        ]
    )
    scored, done = [], 0
    with pq.ParquetWriter(output, schema, compression="zstd", store_schema=False) as writer:
        for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
            rows = batch.num_rows
            values = model.predict(batch.select(features).to_pandas())
            columns = [
                pa.repeat(pa.scalar(date(2026, 1, 1)), rows),
                *batch.columns,
                pa.array(values),
                constant(description["version"], rows),
                pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), rows),
                constant("by hand", rows),
                constant(str(source), rows),
                pa.array(np.arange(done, done + rows)),
            ]
            scored.append(pa.RecordBatch.from_arrays(columns, schema=schema))
            done += rows
            if done % ROW_GROUP_ROWS == 0 or done == table.num_rows:
                writer.write_table(pa.Table.from_batches(scored))
                scored = []
    return done


if __name__ == "__main__":
    print(score(*map(Path, sys.argv[1:])))
