"""Which model version a run or a job scores with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from beam_jobs.prediction.versions import Version
    from beam_jobs.runs.plan import EndpointPin, ModelPin
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec


def pin_model(
    spec: ServiceSpec, environment: EnvironmentSpec, name: str, objects: Objects, night: bool
) -> ModelPin:
    """The version of that name, or what the alias of that name stands for now.

    night: by an endpoint, the version alone may answer; else whatever has the endpoint's traffic.
    Raises ModelError where there is none, where it does not fit the spec, or where the endpoint
    does not serve it.
    """
    from beam_jobs.prediction.signature import check_signature
    from beam_jobs.prediction.versions import open_version
    from beam_jobs.runs.plan import ModelPin

    version = _version(spec, environment, name, objects)
    manifest = open_version(version.folder, objects)
    check_signature(manifest, spec)
    return ModelPin(
        uri=version.folder,
        version=version.name,
        kind=manifest.kind,
        sha256=manifest.sha256,
        endpoint=_pin_endpoint(spec, environment, version.folder if night else None),
    )


def models_root(spec: ServiceSpec, environment: EnvironmentSpec) -> str:
    """The folder of a service's versions."""
    return f"gs://{environment.buckets.models}/{spec.service}"


def _version(
    spec: ServiceSpec, environment: EnvironmentSpec, name: str, objects: Objects
) -> Version:
    from beam_jobs.prediction.versions import ModelError, has_version, resolve_version

    root = models_root(spec, environment)
    if spec.model.source == "gcs" or has_version(root, name, objects):
        return resolve_version(root, name, objects)
    from nightstream.hooks.model_registry import ModelRegistryHook

    hook = ModelRegistryHook(environment, spec)
    version = hook.aliased(name, root)
    if version is None:
        raise ModelError(
            f"{root} holds no version {name!r}, and {hook.model} has none with that alias. Remedy: "
            "release a version, or give one the alias in the Model Registry"
        )
    return version


def _pin_endpoint(
    spec: ServiceSpec, environment: EnvironmentSpec, folder: str | None
) -> EndpointPin | None:
    """Google's library takes seconds to import: only services with an endpoint do."""
    if spec.model.endpoint is None:
        return None
    from nightstream.hooks.vertex import VertexHook

    return VertexHook(environment, spec.model.endpoint).pin(folder)
