"""The model that a plan names, still as it was when it was pinned."""

from __future__ import annotations

from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.signature import check_signature
from beam_jobs.prediction.versions import ModelError, open_version
from beam_jobs.runs.plan import ModelPin
from beam_jobs.spec.service import ServiceSpec


def pinned_model(pin: ModelPin, spec: ServiceSpec) -> ModelManifest:
    """Its description. Raises ModelError where it is no longer that model, or does not fit."""
    manifest = open_version(pin.uri, open_objects(pin.uri))
    if manifest.sha256 != pin.sha256:
        raise ModelError(
            f"{pin.uri} changed since the run was resolved: sha256 {manifest.sha256}, "
            f"pinned is {pin.sha256}. Remedy: leave released versions alone, run again"
        )
    if (pin.endpoint is None) != (spec.model.endpoint is None):
        asked = "a Vertex AI endpoint" if spec.model.endpoint else "the workers"
        raise ModelError(
            f"the spec has {asked} run the model, the plan pins otherwise. Remedy: make the plan "
            "anew: trigger the service's DAG"
        )
    check_signature(manifest, spec)
    return manifest
