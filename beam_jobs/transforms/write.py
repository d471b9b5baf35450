"""Writes predictions and dead letters as Parquet, and reports the files of each bundle.

Beam's WriteToParquetBatched names its files only after its own shuffle of every row, and tells
neither how many rows a file holds nor which files belong to this run. Here a bundle writes its own
files in the fused stage that scored the rows; what it wrote counts when the bundle is committed,
and the files of a bundle that was tried again are named nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from beam_jobs.objects import open_objects
from beam_jobs.reading.redaction import Redactor
from beam_jobs.runs.manifest import OutputFile
from beam_jobs.spec.service import InputSpec
from beam_jobs.transforms.columns import (
    DEAD_LETTER_SCHEMA,
    Provenance,
    dead_letter_rows,
    prediction_rows,
)
from beam_jobs.transforms.elements import ScoredBatch, SourceRange
from beam_jobs.transforms.parquet import ParquetFiles
from beam_jobs.transforms.report import JobReport


def in_global_window(output: object) -> WindowedValue:
    """An output of `finish_bundle`."""
    window = GlobalWindow()
    return WindowedValue(output, window.max_timestamp(), (window,))


class _WriteFiles(beam.DoFn):
    """ScoredBatch → JobReport, one per bundle that wrote anything."""

    def __init__(self, folder: str, schema: pa.Schema, run: Provenance) -> None:
        self._folder = folder
        self._schema = schema
        self._run = run
        self._files: ParquetFiles | None = None

    def rows(self, batch: ScoredBatch[SourceRange]) -> pa.RecordBatch:
        """The rows of the batch that go into the files, in the schema."""
        raise NotImplementedError

    def report(self, files: tuple[OutputFile, ...]) -> JobReport:
        """The files, as what they are."""
        raise NotImplementedError

    def setup(self) -> None:
        self._objects = open_objects(self._folder)

    def start_bundle(self) -> None:
        self.teardown()

    def process(self, batch: ScoredBatch[SourceRange]) -> None:
        rows = self.rows(batch)
        if not rows.num_rows:
            return
        if self._files is None:
            self._files = ParquetFiles(self._folder, self._schema, self._objects)
        self._files.write(rows)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        written = self._files.close() if self._files is not None else ()
        self._files = None
        if written:
            Metrics.counter("nightstream", "files").inc(len(written))
            Metrics.counter("nightstream", "bytes").inc(sum(file.size for file in written))
            yield in_global_window(self.report(written))

    def teardown(self) -> None:
        """Drops what a bundle that failed has left behind."""
        if self._files is not None:
            self._files.abandon()
            self._files = None


class WritePredictions(_WriteFiles):
    """Writes the scored rows."""

    def rows(self, batch: ScoredBatch[SourceRange]) -> pa.RecordBatch:
        return prediction_rows(batch, self._run, self._schema)

    def report(self, files: tuple[OutputFile, ...]) -> JobReport:
        return JobReport(predictions=files)


class WriteDeadLetters(_WriteFiles):
    """Writes the rows that were not scored."""

    def __init__(self, folder: str, run: Provenance, input_: InputSpec) -> None:
        super().__init__(folder, DEAD_LETTER_SCHEMA, run)
        self._redactor = Redactor.of(input_, ())

    def rows(self, batch: ScoredBatch[SourceRange]) -> pa.RecordBatch:
        if self._redactor is not None:
            batch = replace(batch, dead=self._redactor.messages(batch.dead))
        return dead_letter_rows(batch, self._run)

    def report(self, files: tuple[OutputFile, ...]) -> JobReport:
        return JobReport(dead_letters=files)
