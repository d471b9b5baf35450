"""What the bundles of a job report, and how their reports become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from beam_jobs.runs.manifest import Histogram, OutputFile, RangeCount, SourceCount
from beam_jobs.transforms.histograms import merged_by_column


@dataclass(frozen=True)
class JobReport:
    """What some part of the job did; reports of disjoint parts can be added up."""

    sources: tuple[SourceCount, ...] = ()
    """An object may be named more than once, its ranges spread among the entries."""
    predictions: tuple[OutputFile, ...] = ()
    dead_letters: tuple[OutputFile, ...] = ()
    dead_by_code: dict[str, int] = field(default_factory=dict)
    features: dict[str, Histogram] = field(default_factory=dict)
    outputs: dict[str, Histogram] = field(default_factory=dict)


def add_reports(reports: Iterable[JobReport]) -> JobReport:
    """The report of everything that the given ones report. None make an empty one."""
    parts = list(reports)
    dead: Counter[str] = Counter()
    for part in parts:
        dead.update(part.dead_by_code)
    return JobReport(
        sources=_by_object(source for part in parts for source in part.sources),
        predictions=tuple(file for part in parts for file in part.predictions),
        dead_letters=tuple(file for part in parts for file in part.dead_letters),
        dead_by_code=dict(dead),
        features=merged_by_column(part.features for part in parts),
        outputs=merged_by_column(part.outputs for part in parts),
    )


def _by_object(sources: Iterable[SourceCount]) -> tuple[SourceCount, ...]:
    """One entry per object, by URI, with its ranges in order."""
    ranges: dict[str, list[RangeCount]] = {}
    entries: dict[str, SourceCount] = {}
    for source in sources:
        uri = source.object.uri
        ranges.setdefault(uri, []).extend(source.ranges)
        if uri not in entries or source.columns:
            entries[uri] = source
    return tuple(
        entries[uri].model_copy(update={"ranges": tuple(sorted(ranges[uri], key=_start))})
        for uri in sorted(entries)
    )


def _start(count: RangeCount) -> int:
    return count.start
