"""Which model version a run or a job scores with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from beam_jobs.runs.plan import ModelPin
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec


def pin_model(
    spec: ServiceSpec, environment: EnvironmentSpec, name: str, objects: Objects
) -> ModelPin:
    """The version of that name, or what the alias of that name stands for now.

    Raises ModelError where there is none, or where it does not fit the spec.
    """
    from beam_jobs.prediction.signature import check_signature
    from beam_jobs.prediction.versions import open_version, resolve_version
    from beam_jobs.runs.plan import ModelPin

    root = f"gs://{environment.buckets.models}/{spec.service}"
    version = resolve_version(root, name, objects)
    manifest = open_version(version.folder, objects)
    check_signature(manifest, spec)
    return ModelPin(
        uri=version.folder, version=version.name, kind=manifest.kind, sha256=manifest.sha256
    )
