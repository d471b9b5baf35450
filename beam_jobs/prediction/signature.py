"""Whether a model fits the contract of its service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq

from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.versions import ModelError
from beam_jobs.spec.service import ServiceSpec


def signature_differences(manifest: ModelManifest, spec: ServiceSpec) -> list[str]:
    """Each way in which the model's columns and the contract's disagree; none when they agree.

    The model's inputs must be exactly the contract's features (fields that are not passthrough),
    in any order; its outputs exactly the spec's. An integer field may feed a float input.
    """
    inputs = {column.name: column.type for column in manifest.inputs}
    features = {field.name: field.type for field in spec.input.features}
    outputs = {column.name: column.type for column in manifest.outputs}
    declared = {column.name: column.type for column in spec.model.outputs}
    return [
        *_differences("input", inputs, "input.fields", features, _feeds),
        *_differences("output", outputs, "model.outputs", declared, eq),
    ]


def check_signature(manifest: ModelManifest, spec: ServiceSpec) -> None:
    """Raises ModelError that names every difference between the model and the contract."""
    differences = signature_differences(manifest, spec)
    if differences:
        raise ModelError(
            f"model {manifest.name} {manifest.version} does not fit service {spec.service}: "
            f"{'; '.join(differences)}. Remedy: change the spec, or train a model for this spec"
        )


def _differences(
    side: str,
    model: Mapping[str, str],
    where: str,
    spec: Mapping[str, str],
    fits: Callable[[str, str], bool],
) -> list[str]:
    lacking = [f"{where} lacks the model's {side} {name!r}" for name in model if name not in spec]
    unknown = [f"the model has no {side} {name!r} of {where}" for name in spec if name not in model]
    types = [
        f"{side} {name!r} is {model[name]} in the model and {spec[name]} in {where}"
        for name in model
        if name in spec and not fits(spec[name], model[name])
    ]
    return [*lacking, *unknown, *types]


def _feeds(field: str, model: str) -> bool:
    return field == model or (field, model) == ("integer", "float")
