"""Files that came after the night that should hold them was published."""

from __future__ import annotations

from collections.abc import Iterable

from beam_jobs.objects import ObjectInfo
from beam_jobs.runs.plan import RunPlan


def late_inputs(published: RunPlan, files: Iterable[ObjectInfo]) -> tuple[str, ...]:
    """URIs of a night's files that its published run did not read, or read as they were before."""
    read = {(item.uri, item.generation) for item in published.inputs}
    return tuple(file.uri for file in files if (file.uri, file.generation) not in read)
