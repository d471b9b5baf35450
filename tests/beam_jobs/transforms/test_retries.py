"""A bundle that fails and is tried again counts once."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.transforms.account import Account
from beam_jobs.transforms.columns import Provenance, prediction_schema
from beam_jobs.transforms.elements import ScoredBatch
from beam_jobs.transforms.histograms import Bins, Profile
from beam_jobs.transforms.report import JobReport, add_reports
from beam_jobs.transforms.write import WritePredictions
from tests.support.specs import a_service

RUN = Provenance(date(2026, 1, 1), "run", "v1")


class FailsOnce(beam.DoFn):
    """A step that dies when its bundle is all but done, the first time."""

    def __init__(self, step: beam.DoFn, marker: Path) -> None:
        self._step = step
        self._marker = marker

    def setup(self) -> None:
        self._step.setup()

    def start_bundle(self) -> None:
        self._step.start_bundle()

    def process(self, element: Any) -> Any:
        return self._step.process(element)

    def finish_bundle(self) -> Iterator[Any]:
        done = list(self._step.finish_bundle())
        if not self._marker.exists():
            self._marker.touch()
            raise RuntimeError("the worker dies")
        yield from done

    def teardown(self) -> None:
        self._step.teardown()


def reported(batches: list[ScoredBatch], step: beam.DoFn, folder: Path) -> JobReport:
    """What the step reports of batches, on a runner that tries a failed bundle again."""
    reports = folder / "reports"
    marker = folder / "died"
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=BundleBasedDirectRunner"]))
    (
        pipeline
        | beam.Create(batches)
        | beam.ParDo(FailsOnce(step, marker))
        | beam.CombineGlobally(add_reports)
        | beam.Map(lambda report: reports.write_bytes(pickle.dumps(report)))
    )
    pipeline.run().wait_until_finish()
    assert marker.exists()
    report: JobReport = pickle.loads(reports.read_bytes())
    return report


def test_files_of_a_bundle_that_died_are_not_reported(
    scored_batch: Callable[..., ScoredBatch], tmp_path: Path
) -> None:
    step = WritePredictions(str(tmp_path / "out"), prediction_schema(a_service()), RUN)

    report = reported([scored_batch([20.0, 30.0]), scored_batch([40.0])], step, tmp_path)

    tables = [pq.read_table(file.uri) for file in report.predictions]
    assert sorted(week for table in tables for week in table["weeks"].to_pylist()) == [20, 30, 40]
    on_disk = {str(path) for path in (tmp_path / "out").iterdir()}
    assert on_disk > {file.uri for file in report.predictions}


def test_rows_of_a_bundle_that_died_are_counted_once(
    scored_batch: Callable[..., ScoredBatch], tmp_path: Path
) -> None:
    bins = Bins(edges=(0.0, 25.0, 50.0))
    batches = [
        scored_batch([20.0, 30.0], [ErrorCode.NOT_UTF8]),
        scored_batch([40.0], [ErrorCode.NOT_UTF8, ErrorCode.PATTERN]),
    ]

    report = reported(batches, Account(Profile({"weeks": bins}, {"weight": bins})), tmp_path)

    counts = [count for source in report.sources for count in source.ranges]
    assert sum(count.rows_in for count in counts) == 6
    assert sum(count.rows_scored for count in counts) == 3
    assert report.dead_by_code == {"not_utf8": 2, "pattern": 1}
    assert report.features["weeks"].counts == (0, 1, 2, 0)
