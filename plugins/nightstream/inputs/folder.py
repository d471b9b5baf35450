"""Looks into a night's folder."""

from __future__ import annotations

from datetime import date

from beam_jobs.objects import Objects
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import ManifestRule
from nightstream.inputs.completeness import Folder


def night_folder(
    spec: ServiceSpec, environment: EnvironmentSpec, score_date: date, source: str | None = None
) -> str:
    """URI of the folder that holds a night's files, ending in a slash; `source` overrides it."""
    if source:
        return source.rstrip("/") + "/"
    return f"gs://{environment.buckets.input}/{spec.input.folder(score_date)}"


def see(uri: str, input: InputSpec, objects: Objects) -> Folder:
    """The folder as it is now, with its manifest where the spec's rule is one."""
    listing = objects.list(uri)
    folder = Folder(uri, listing)
    if not isinstance(input.complete, ManifestRule) or not folder.holds(input.complete.object):
        return folder
    return Folder(uri, listing, objects.read(uri + input.complete.object))
