"""Versions and aliases in a models folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.models import load_model
from beam_jobs.prediction.versions import (
    ModelError,
    open_version,
    read_artifact,
    resolve_version,
    set_alias,
)


def test_an_alias_names_a_version(folder: str, root: str, objects: Objects) -> None:
    set_alias(root, "champion", "v1", objects)
    assert resolve_version(root, "champion", objects) == (folder, "v1")


def test_a_version_is_found_by_its_own_name(folder: str, root: str, objects: Objects) -> None:
    assert resolve_version(root, "v1", objects) == (folder, "v1")


def test_a_name_that_is_neither_is_refused_with_the_remedy(root: str, objects: Objects) -> None:
    with pytest.raises(ModelError, match=r"neither a version nor an alias 'v9'.*Remedy"):
        resolve_version(root, "v9", objects)


@pytest.mark.usefixtures("folder")
def test_an_alias_to_nowhere_is_refused(root: str, objects: Objects) -> None:
    objects.put(f"{root}/champion", b"v7\n")
    with pytest.raises(ModelError, match=r"names 'v7', which is no version"):
        resolve_version(root, "champion", objects)


def test_an_alias_is_never_pointed_to_a_version_that_is_not_there(
    root: str, objects: Objects
) -> None:
    with pytest.raises(ModelError, match="holds no version 'v1'"):
        set_alias(root, "champion", "v1", objects)


def test_a_description_that_is_not_one_names_its_faults(folder: str, objects: Objects) -> None:
    objects.put(f"{folder}/model.json", b'{"name": "babyweight", "colour": "red"}')
    with pytest.raises(ModelError, match=r"kind: Field required.*colour: Extra inputs"):
        open_version(folder, objects)


def test_an_artifact_with_another_checksum_is_refused_before_it_is_unpickled(
    folder: str, trained: tuple[ModelManifest, bytes], objects: Objects, tmp_path: Path
) -> None:
    manifest, _ = trained
    trap = tmp_path / "unpickled"
    objects.put(f"{folder}/{manifest.artifact}", f"cos\nsystem\n(S'touch {trap}'\ntR.".encode())
    with pytest.raises(ModelError, match=r"not the model that was released.*Remedy"):
        load_model(folder, manifest, manifest.sha256, objects)
    assert not trap.exists()


def test_a_missing_artifact_is_named(
    folder: str, trained: tuple[ModelManifest, bytes], objects: Objects
) -> None:
    manifest, _ = trained
    objects.delete(f"{folder}/{manifest.artifact}")
    with pytest.raises(ModelError, match=r"model\.joblib does not exist"):
        read_artifact(folder, manifest, manifest.sha256, objects)


def test_an_artifact_that_is_no_model_is_refused_with_kind_and_remedy(
    folder: str, trained: tuple[ModelManifest, bytes], objects: Objects
) -> None:
    manifest = trained[0].model_copy(
        update={"kind": "onnx", "libraries": {"onnxruntime": "1.20.0"}}
    )
    with pytest.raises(ModelError, match="cannot be opened as onnx"):
        load_model(folder, manifest, manifest.sha256, objects)
