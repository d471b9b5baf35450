"""The audited night as a table for the task log."""

from __future__ import annotations

from beam_jobs.runs.manifest import RunManifest

MAX_LINES = 20
"""Lines for each part of the report; the manifest has all of them."""


def report(manifest: RunManifest) -> str:
    """Rows by source, dead rows by reason, predictions by column."""
    lines = [
        f"run {manifest.run_key}, attempt {manifest.attempt}, model {manifest.model_version}",
        _line("", "in", "scored", "dead"),
    ]
    sources = []
    for source in manifest.sources:
        counts = [(part.rows_in, part.rows_scored, part.rows_dead) for part in source.ranges]
        sources.append(_line(source.object.uri, *map(sum, zip(*counts, strict=True))))
    lines += _shortened(sources)
    lines.append(_line("the night", manifest.rows_in, manifest.rows_scored, manifest.rows_dead))
    by_code = sorted(manifest.summary.dead_by_code.items(), key=lambda item: -item[1])
    lines += _shortened([_line(f"dead: {code}", "", "", rows) for code, rows in by_code])
    for name, seen in manifest.summary.predictions.items():
        lines.append(
            f"{name}: {seen.nulls:,} null, {seen.non_finite:,} not finite, "
            f"{seen.out_of_range:,} out of range"
        )
    return "\n".join(lines)


def _line(what: str, *columns: int | str) -> str:
    cells = (f"{c:,}" if isinstance(c, int) else c for c in columns)
    return f"{what:<72}" + "".join(f"{cell:>14}" for cell in cells)


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LINES
    return lines if more <= 0 else [*lines[:MAX_LINES], f"… and {more:,} more"]
