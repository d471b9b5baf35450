from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.prediction.manifest import ModelManifest
from examples.babyweight.train import build_version
from tests.support.scored_night import NightFolder


@pytest.fixture(scope="session")
def babyweight_model() -> tuple[ModelManifest, bytes]:
    return build_version("sklearn", "v1")


@pytest.fixture
def night(tmp_path: Path, babyweight_model: tuple[ModelManifest, bytes]) -> NightFolder:
    return NightFolder(tmp_path, babyweight_model)
