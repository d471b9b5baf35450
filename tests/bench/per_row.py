"""The job as Beam pipelines are ordinarily written: a dict per row, RunInference batching them.

python -m tests.bench.per_row --input gs://…/births.csv --model gs://…/v1 --output gs://…/scored
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import apache_beam as beam
import pandas as pd
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

COLUMNS = ["weight_pounds", "is_male", "mother_age", "plurality", "gestation_weeks", "key"]
FEATURES = ["is_male", "mother_age", "plurality", "gestation_weeks"]
SCHEMA = pa.schema(
    [
        ("score_date", pa.date32()),
        ("weight_pounds", pa.float64()),
        ("is_male", pa.string()),
        ("mother_age", pa.float64()),
        ("plurality", pa.string()),
        ("gestation_weeks", pa.float64()),
        ("key", pa.string()),
        ("predicted_weight_pounds", pa.float64()),
        ("model_version", pa.string()),
        ("scored_at", pa.timestamp("us", "UTC")),
        ("run_key", pa.string()),
        ("source_uri", pa.string()),
    ]
)

Row = dict[str, Any]


class FrameModelHandler(ModelHandler[Row, PredictionResult, Any]):
    """As Beam's SklearnModelHandlerPandas, for rows that are dicts."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri

    def load_model(self) -> Any:
        import joblib

        with FileSystems.open(self._uri) as file:
            return joblib.load(io.BytesIO(file.read()))

    def run_inference(
        self,
        batch: Sequence[Row],
        model: Any,
        inference_args: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterator[PredictionResult]:
        predictions = model.predict(pd.DataFrame(batch, columns=FEATURES))
        return map(PredictionResult, batch, predictions)


def parsed(line: str) -> Iterator[Row]:
    """The row of a line, where it is a good one."""
    row: Row = dict(zip(COLUMNS, next(csv.reader([line])), strict=True))
    for name in ("weight_pounds", "mother_age", "gestation_weeks"):
        row[name] = float(row[name])
    if (
        row["is_male"] in ("True", "False", "Unknown")
        and 10 <= row["mother_age"] <= 60
        and 17 <= row["gestation_weeks"] <= 47
    ):
        yield row


def scored(result: Any, source: str) -> Row:
    """The row as it is written."""
    return {
        "score_date": date(2026, 1, 1),
        **result.example,
        "predicted_weight_pounds": float(result.inference),
        "model_version": "v1",
        "scored_at": datetime.now(UTC),
        "run_key": "per row",
        "source_uri": source,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", required=True)
    known, options = parser.parse_known_args()
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    (
        pipeline
        | beam.io.ReadFromText(known.input, skip_header_lines=1)
        | "Parse" >> beam.FlatMap(parsed)
        | RunInference(FrameModelHandler(f"{known.model}/model.joblib"))
        | "Columns" >> beam.Map(scored, known.input)
        | beam.io.WriteToParquet(known.output, SCHEMA, file_name_suffix=".parquet")
    )
    result: Any = pipeline.run()
    print(result.job_id())


if __name__ == "__main__":
    from tests.bench import per_row

    # Pickled by name, not as parts of __main__.
    per_row.main()
