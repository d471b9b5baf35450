"""A model must fit the contract of its service."""

from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.prediction.manifest import ModelColumn, ModelManifest
from beam_jobs.prediction.signature import check_signature, signature_differences
from beam_jobs.prediction.versions import ModelError
from beam_jobs.spec import ServiceSpec, load_service

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def spec() -> ServiceSpec:
    return load_service(REPOSITORY / "dags/services/babyweight.yaml")


def with_inputs(manifest: ModelManifest, *columns: tuple[str, str]) -> ModelManifest:
    inputs = tuple(ModelColumn.model_validate({"name": n, "type": t}) for n, t in columns)
    return manifest.model_copy(update={"inputs": inputs})


def test_the_example_model_fits_the_example_service(
    trained: tuple[ModelManifest, bytes], spec: ServiceSpec
) -> None:
    assert signature_differences(trained[0], spec) == []


def test_every_difference_is_named(trained: tuple[ModelManifest, bytes], spec: ServiceSpec) -> None:
    other = with_inputs(
        trained[0], ("is_male", "boolean"), ("mother_age", "float"), ("smoker", "boolean")
    )
    with pytest.raises(ModelError) as refused:
        check_signature(other, spec)
    message = str(refused.value)
    assert "input.fields lacks the model's input 'smoker'" in message
    assert "the model has no input 'plurality' of input.fields" in message
    assert "the model has no input 'gestation_weeks' of input.fields" in message
    assert "input 'is_male' is boolean in the model and string in input.fields" in message


def test_passthrough_fields_are_not_the_models_business(
    trained: tuple[ModelManifest, bytes], spec: ServiceSpec
) -> None:
    other = with_inputs(
        trained[0], *[(c.name, c.type) for c in trained[0].inputs], ("key", "string")
    )
    assert signature_differences(other, spec) == ["input.fields lacks the model's input 'key'"]


def test_another_output_is_refused(trained: tuple[ModelManifest, bytes], spec: ServiceSpec) -> None:
    other = trained[0].model_copy(update={"outputs": (ModelColumn(name="weight", type="float"),)})
    assert len(signature_differences(other, spec)) == 2


def test_an_output_has_the_very_type_of_its_column(
    trained: tuple[ModelManifest, bytes], spec: ServiceSpec
) -> None:
    (output,) = trained[0].outputs
    declared = spec.model.outputs[0].model_copy(update={"type": "integer"})
    model = spec.model.model_copy(update={"outputs": (declared,)})
    assert signature_differences(trained[0], spec.model_copy(update={"model": model})) == [
        f"output '{output.name}' is float in the model and integer in model.outputs"
    ]
