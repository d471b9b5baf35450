from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.objects import Objects, open_objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.versions import publish_version


@pytest.fixture(scope="session")
def trained(babyweight_model: tuple[ModelManifest, bytes]) -> tuple[ModelManifest, bytes]:
    return babyweight_model


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(str(tmp_path))


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "models")


@pytest.fixture
def folder(trained: tuple[ModelManifest, bytes], root: str, objects: Objects) -> str:
    return publish_version(root, *trained, objects).folder
