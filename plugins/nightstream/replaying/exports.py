"""A night's predictions as files again, where those that were published are not there any more."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING

from beam_jobs.objects import Objects
from beam_jobs.runs.layout import AttemptLayout, RunLayout
from beam_jobs.runs.manifest import OutputFile, RunManifest
from beam_jobs.runs.plan import RowsFile
from nightstream.auditing.footers import footer_rows
from nightstream.replaying.standing import NotStandingError, Standing
from nightstream.replaying.trying import digest
from nightstream.scoring.files import mark_used

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, ExtractJob

    from nightstream.tables import TableId

_MOST_EXPORTS = 20


def are_kept(manifest: RunManifest, objects: Objects) -> bool:
    """Whether every file of the night's predictions is where the manifest says, and will be: from
    now on the clean-up leaves them alone."""
    folders = {file.uri.rpartition("/")[0] for file in manifest.predictions if file.rows}
    attempts = {folder.rpartition("/")[0] for folder in folders}
    for attempt in attempts:
        root, run_key, _ = attempt.rsplit("/", 2)
        mark_used(RunLayout(root, run_key), objects)
    if any(objects.stat(AttemptLayout(attempt).removed) for attempt in attempts):
        return False
    found = {item.uri for folder in folders for item in objects.list(f"{folder}/")}
    return all(file.uri in found for file in manifest.predictions if file.rows)


def exported(
    client: Client, table: TableId, standing: Standing, objects: Objects
) -> tuple[RowsFile, ...]:
    """The night's partition of predictions as Parquet files beside those that are gone.

    A second call finds the first one's files. Raises NotStandingError where the partition does
    not hold what was published.
    """
    publication = standing.publication
    name = digest((standing.manifest_uri, publication.intent.sequence, publication.published_at))
    for number in count(1):
        place = f"{standing.folder}/exported-{name}-{number}"
        job = _extract(client, table.partition(standing.night), place, f"{name}-{number}")
        files = () if job.error_result else _files(place, objects)
        if sum(file.rows for file in files) == standing.manifest.rows_scored:
            return files
        if number == _MOST_EXPORTS or (not job.error_result and files):
            break
    raise NotStandingError(
        f"night {standing.night} cannot be revised: the files that were published are gone, and "
        f"{table.partition(standing.night)} does not hold the {standing.manifest.rows_scored:,} "
        "rows that it was published with. Remedy: run the night again with force"
    )


def _extract(client: Client, partition: str, place: str, name: str) -> ExtractJob:
    """The finished job of that name, started where nobody has."""
    from google.api_core.exceptions import Conflict, GoogleAPICallError
    from google.cloud.bigquery import ExtractJobConfig

    job_id = f"nightstream-export-{name}"
    config = ExtractJobConfig(destination_format="PARQUET", compression="ZSTD")
    try:
        job = client.extract_table(
            partition, f"{place}/part-*.parquet", job_id=job_id, job_config=config
        )
    except Conflict:
        job = client.get_job(job_id)  # type: ignore[assignment]
    try:
        job.result()
    except GoogleAPICallError:
        job.reload()
    return job


def _files(place: str, objects: Objects) -> tuple[RowsFile, ...]:
    listed = objects.list(f"{place}/")
    outputs = [OutputFile(uri=item.uri, rows=0, size=item.size) for item in listed]
    rows = footer_rows(outputs, objects)
    return tuple(_rows_files(((item.uri, item.generation, item.size) for item in listed), rows))


def _rows_files(
    listed: Iterable[tuple[str, int, int]], rows: dict[str, int | str]
) -> Iterable[RowsFile]:
    for uri, generation, size in listed:
        found = rows[uri]
        if isinstance(found, int):
            yield RowsFile(uri=uri, generation=generation, size=size, rows=found)
