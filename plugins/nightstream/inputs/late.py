"""Files that came after the night that should hold them was published or skipped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from beam_jobs.objects import ObjectInfo
from beam_jobs.runs.plan import InputObject


def skipped_uri(work_bucket: str, service: str, night: date) -> str:
    """The object that tells that a night was skipped because it had no files."""
    return f"gs://{work_bucket}/{service}/skipped/{night.isoformat()}"


def late_inputs(read: Iterable[InputObject], files: Iterable[ObjectInfo]) -> tuple[str, ...]:
    """URIs of a night's files that its run did not read, or read as they were before."""
    known = {(item.uri, item.generation) for item in read}
    return tuple(file.uri for file in files if (file.uri, file.generation) not in known)
