"""Counts every row: per byte range, per error code, per histogram bin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.metrics.metric import Metrics
from apache_beam.utils.windowed_value import WindowedValue

from beam_jobs.runs.manifest import Histogram, RangeCount, SourceCount
from beam_jobs.transforms.elements import ScoredBatch, SourceRange
from beam_jobs.transforms.histograms import Bins, Profile, merged_by_column
from beam_jobs.transforms.report import JobReport
from beam_jobs.transforms.write import in_global_window


class Account(beam.DoFn):
    """ScoredBatch → JobReport, one per bundle: what became of its rows."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def start_bundle(self) -> None:
        self._ranges: dict[SourceRange, Counter[str]] = {}
        self._dead: Counter[str] = Counter()
        self._features: dict[str, Histogram] = {}
        self._outputs: dict[str, Histogram] = {}

    def process(self, batch: ScoredBatch[SourceRange]) -> None:
        counts = self._ranges.setdefault(batch.source, Counter())
        counts["rows_in"] += batch.rows_in
        counts["rows_scored"] += batch.outputs.num_rows
        counts["rows_dead"] += batch.dead.num_rows
        self._dead.update(error_codes(batch.dead))
        if batch.outputs.num_rows:
            self._features = _counted(self._features, self._profile.features, batch.rows)
            self._outputs = _counted(self._outputs, self._profile.outputs, batch.outputs)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        self._count_metrics()
        yield in_global_window(
            JobReport(
                sources=tuple(_source_count(*item) for item in self._ranges.items()),
                dead_by_code=dict(self._dead),
                features=self._features,
                outputs=self._outputs,
            )
        )

    def _count_metrics(self) -> None:
        totals: Counter[str] = Counter()
        for counts in self._ranges.values():
            totals.update(counts)
        totals.update({f"rows_dead_{code}": rows for code, rows in self._dead.items()})
        for name, rows in totals.items():
            Metrics.counter("nightstream", name).inc(rows)


def error_codes(dead: pa.RecordBatch) -> dict[str, int]:
    """How many rows are dead for which reason."""
    counted = pc.value_counts(dead.column("error_code"))
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def _counted(
    sums: Mapping[str, Histogram], bins: Mapping[str, Bins], batch: pa.RecordBatch
) -> dict[str, Histogram]:
    return merged_by_column([sums, {name: bins[name].count(batch.column(name)) for name in bins}])


def _source_count(source: SourceRange, counts: Counter[str]) -> SourceCount:
    return SourceCount(
        object=source.object,
        ranges=(
            RangeCount(
                start=source.start,
                end=source.end,
                rows_in=counts["rows_in"],
                rows_scored=counts["rows_scored"],
                rows_dead=counts["rows_dead"],
            ),
        ),
    )
