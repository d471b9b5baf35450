"""The audit of a night: what the job says it did, against what was planned and declared.

Pure: the plan, the manifest, the row counts of its files and the limits go in; findings come out,
each saying what is wrong and by how much. A night without findings may be published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from beam_jobs.runs.manifest import OutputFile, RunManifest, SourceCount
from beam_jobs.runs.plan import RunPlan
from beam_jobs.spec.service import AuditSpec

MAX_LOAD_URIS = 10_000
"""BigQuery's limit for one load job; and one partition is replaced by one job, or not at once."""


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a night from being published."""

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


def audit(
    plan: RunPlan,
    manifest: RunManifest,
    attempt: int,
    footers: Mapping[str, int | str],
    dead_letter_limit: float,
) -> list[Finding]:
    """Everything that is wrong with a night.

    `footers` maps the URI of each output file to the rows that the file itself says it holds, or
    to why it could not be read. `dead_letter_limit` takes the place of the spec's, and is its
    default.
    """
    limits = plan.spec.audit
    return [
        *_identity(plan, manifest, attempt),
        *_sources(plan, manifest),
        *_accounting(manifest),
        *_files("predictions", manifest.predictions, manifest.rows_scored, footers),
        *_files("dead letters", manifest.dead_letters, manifest.rows_dead, footers),
        *_dead_letters(manifest, dead_letter_limit),
        *_rows(manifest, limits),
        *_predictions(plan, manifest, limits),
    ]


def _identity(plan: RunPlan, manifest: RunManifest, attempt: int) -> Iterator[Finding]:
    for name, found, expected in (
        ("run key", manifest.run_key, plan.run_key),
        ("attempt", manifest.attempt, attempt),
        ("model version", manifest.model_version, plan.model.version),
    ):
        if found != expected:
            yield Finding("identity", f"the manifest's {name} is {found}, planned was {expected}")


def _sources(plan: RunPlan, manifest: RunManifest) -> Iterator[Finding]:
    """The job read exactly the planned objects, each of them from end to end."""
    planned = {object.uri: object for object in plan.inputs}
    counted = [source.object.uri for source in manifest.sources]
    for uri in sorted(set(planned) - set(counted)):
        yield Finding("sources", f"{uri} was planned and not read")
    for uri in sorted({uri for uri in counted if counted.count(uri) > 1}):
        yield Finding("sources", f"{uri} is counted {counted.count(uri)} times")
    for source in manifest.sources:
        object = source.object
        expected = planned.get(object.uri)
        if expected is None:
            yield Finding("sources", f"{object.uri} was read and not planned")
        elif object != expected:
            yield Finding(
                "sources",
                f"{object.uri} was read as generation {object.generation} of {object.size} bytes, "
                f"planned was generation {expected.generation} of {expected.size} bytes",
            )
        yield from _tiles(source)


def _tiles(source: SourceCount) -> Iterator[Finding]:
    """The ranges cover every byte of the object once."""
    uri, size = source.object.uri, source.object.size
    reached = 0
    for start, end in sorted((part.start, part.end) for part in source.ranges):
        if start > reached:
            yield _unread(uri, reached, start)
        if start < reached:
            yield Finding(
                "ranges",
                f"{uri}: range [{start}, {end}) begins before byte {reached}, up to "
                f"which the object was read already ({reached - start} bytes read twice)",
            )
        reached = max(reached, end)
    if reached < size:
        yield _unread(uri, reached, size)
    if reached > size:
        yield Finding("ranges", f"{uri}: read up to byte {reached}, it has {size} bytes")


def _unread(uri: str, start: int, end: int) -> Finding:
    return Finding("ranges", f"{uri}: bytes [{start}, {end}) were not read ({end - start} bytes)")


def _accounting(manifest: RunManifest) -> Iterator[Finding]:
    """rows_in = rows_scored + rows_dead: in each range, over the ranges, by error code."""
    for source in manifest.sources:
        for part in source.ranges:
            where = f"{source.object.uri} [{part.start}, {part.end})"
            yield from _balance(where, part.rows_in, part.rows_scored, part.rows_dead)
    yield from _balance("the night", manifest.rows_in, manifest.rows_scored, manifest.rows_dead)
    parts = [part for source in manifest.sources for part in source.ranges]
    for name, total, found in (
        ("rows_in", manifest.rows_in, sum(part.rows_in for part in parts)),
        ("rows_scored", manifest.rows_scored, sum(part.rows_scored for part in parts)),
        ("rows_dead", manifest.rows_dead, sum(part.rows_dead for part in parts)),
    ):
        if total != found:
            yield Finding(
                "accounting",
                f"{name} is {total:,}, its ranges add up to {found:,} ({found - total:+,})",
            )
    by_code = sum(manifest.summary.dead_by_code.values())
    if by_code != manifest.rows_dead:
        yield Finding(
            "accounting",
            f"rows_dead is {manifest.rows_dead:,}, its error codes add up to "
            f"{by_code:,} ({by_code - manifest.rows_dead:+,})",
        )


def _balance(where: str, rows_in: int, scored: int, dead: int) -> Iterator[Finding]:
    missing = rows_in - scored - dead
    if missing:
        what = "unaccounted for" if missing > 0 else "too many"
        yield Finding(
            "accounting",
            f"{where}: {rows_in:,} rows in, {scored:,} scored and {dead:,} dead: "
            f"{abs(missing):,} {what}",
        )


def _files(
    what: str, files: tuple[OutputFile, ...], rows: int, footers: Mapping[str, int | str]
) -> Iterator[Finding]:
    """The files hold the rows that the manifest says, and one load job can take them."""
    if not files:
        yield Finding("files", f"no file of {what}; a night without rows needs an empty one")
    if len(files) > MAX_LOAD_URIS:
        yield Finding(
            "files",
            f"{len(files):,} files of {what}, and one load job takes {MAX_LOAD_URIS:,}. Remedy: "
            "raise job.split_bytes in the spec, so that fewer and larger files are written",
        )
    total = sum(file.rows for file in files)
    if total != rows:
        yield Finding(
            "files",
            f"the files of {what} hold {total:,} rows, counted were {rows:,} ({total - rows:+,})",
        )
    for file in files:
        found = footers.get(file.uri, "its footer was not read")
        if isinstance(found, str):
            yield Finding("files", f"{file.uri}: {found}")
        elif found != file.rows:
            yield Finding(
                "files",
                f"{file.uri} holds {found:,} rows by its footer, {file.rows:,} by the manifest",
            )


def _dead_letters(manifest: RunManifest, limit: float) -> Iterator[Finding]:
    ratio = _ratio(manifest.rows_dead, manifest.rows_in)
    if ratio <= limit:
        return
    reasons = sorted(manifest.summary.dead_by_code.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{code} {rows:,}" for code, rows in reasons)
    yield Finding(
        "dead letters",
        f"{manifest.rows_dead:,} of {manifest.rows_in:,} rows "
        f"({ratio:.2%}) were not scored, "
        f"at most {limit:.2%} may be: {listed}. Remedy: mend the input and run the night again, or "
        "trigger it with a higher dead-letter limit",
    )


def _rows(manifest: RunManifest, limits: AuditSpec) -> Iterator[Finding]:
    if manifest.rows_scored < limits.min_rows:
        yield Finding(
            "rows",
            f"{manifest.rows_scored:,} rows were scored, audit.min_rows is {limits.min_rows:,}",
        )


def _predictions(plan: RunPlan, manifest: RunManifest, limits: AuditSpec) -> Iterator[Finding]:
    for output in plan.spec.model.outputs:
        seen = manifest.summary.predictions.get(output.name)
        if seen is None:
            if manifest.rows_scored:
                yield Finding("predictions", f"the summary does not tell of {output.name}")
            continue
        if seen.total != manifest.rows_scored:
            yield Finding(
                "predictions",
                f"the summary tells of {seen.total:,} values of {output.name}, "
                f"{manifest.rows_scored:,} rows were scored",
            )
        yield from _share(
            f"{output.name} is null or not finite",
            seen.nulls + seen.non_finite,
            seen.total,
            limits.max_null_ratio,
            "audit.max_null_ratio",
        )
        yield from _share(
            f"{output.name} is out of range",
            seen.out_of_range,
            seen.total,
            limits.max_out_of_range_ratio,
            "audit.max_out_of_range_ratio",
        )


def _share(what: str, count: int, total: int, limit: float, name: str) -> Iterator[Finding]:
    ratio = _ratio(count, total)
    if ratio > limit:
        yield Finding(
            "predictions",
            f"{what} in {count:,} of {total:,} rows ({ratio:.2%}), {name} is {limit:.2%}",
        )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
