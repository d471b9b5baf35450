"""The books of a night of which some dead letters were tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from beam_jobs.runs.manifest import OutputFile, RangeCount, RunManifest, SourceCount
from beam_jobs.runs.plan import ReplayOf, RowsFile
from beam_jobs.transforms.histograms import merged_by_column
from beam_jobs.transforms.report import JobReport


def revised(base: RunManifest, replay: ReplayOf, tried: JobReport) -> JobReport:
    """The whole night: what stood already, and what came of the letters that were tried.

    base: the manifest of the publication that is revised; tried: the report on the letters alone.
    Rows in are the base's; a letter that was scored has gone from the dead to the scored.
    """
    return JobReport(
        sources=_sources(base.sources, tried.sources),
        predictions=(*_predictions(base, replay), *tried.predictions),
        dead_letters=(*_with_rows([_output(replay.left)]), *tried.dead_letters),
        dead_by_code=_dead_by_code(base, replay, tried),
        features=merged_by_column([base.summary.features, tried.features]),
        outputs=merged_by_column([base.summary.predictions, tried.outputs]),
    )


def scored_by(base: RunManifest, model_version: str, repaired: int) -> dict[str, int]:
    """Rows of the revision by the model version that scored them."""
    rows = Counter(base.scored_by or {base.model_version: base.rows_scored})
    rows[model_version] += repaired
    return {version: count for version, count in rows.items() if count}


def _sources(base: Iterable[SourceCount], tried: Iterable[SourceCount]) -> tuple[SourceCount, ...]:
    """A source of which letters were tried is one range from here on."""
    counts = {source.object.uri: source.ranges for source in tried}
    return tuple(
        source.model_copy(update={"ranges": (_one_range(source, counts[source.object.uri]),)})
        if source.object.uri in counts
        else source
        for source in base
    )


def _one_range(source: SourceCount, tried: Iterable[RangeCount]) -> RangeCount:
    before, again = list(source.ranges), list(tried)
    repaired = sum(part.rows_scored for part in again)
    return RangeCount(
        start=0,
        end=source.object.size,
        rows_in=sum(part.rows_in for part in before),
        rows_scored=sum(part.rows_scored for part in before) + repaired,
        rows_dead=sum(part.rows_dead for part in before) - repaired,
    )


def _predictions(base: RunManifest, replay: ReplayOf) -> tuple[OutputFile, ...]:
    return _with_rows(map(_output, replay.predictions) if replay.predictions else base.predictions)


def _with_rows(files: Iterable[OutputFile]) -> tuple[OutputFile, ...]:
    return tuple(file for file in files if file.rows)


def _output(file: RowsFile) -> OutputFile:
    return OutputFile(uri=file.uri, rows=file.rows, size=file.size)


def _dead_by_code(base: RunManifest, replay: ReplayOf, tried: JobReport) -> dict[str, int]:
    codes = Counter(base.summary.dead_by_code)
    codes.subtract(replay.tried_by_code)
    codes.update(tried.dead_by_code)
    return {code: rows for code, rows in codes.items() if rows}
