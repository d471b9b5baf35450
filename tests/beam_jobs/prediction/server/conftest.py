from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from importlib.metadata import version as installed
from pathlib import Path

import pandas as pd
import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ModelKind, ModelManifest
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.server.opening import open_served
from beam_jobs.prediction.versions import publish_version
from examples.babyweight.births import load_births, without_ultrasound
from examples.babyweight.train import TRAINERS
from tests.support.prediction_server import PredictionServer


@pytest.fixture(scope="module", params=sorted(TRAINERS))
def kind_folder(
    request: pytest.FixtureRequest,
    babyweight_model: tuple[ModelManifest, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A version of the babyweight model, of each kind in turn."""
    return _published(request.param, babyweight_model, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def kind_model(kind_folder: str) -> Model:
    return open_served(kind_folder)


@pytest.fixture(scope="module")
def sklearn_folder(
    babyweight_model: tuple[ModelManifest, bytes], tmp_path_factory: pytest.TempPathFactory
) -> str:
    root = str(tmp_path_factory.mktemp("models"))
    return publish_version(root, *babyweight_model, open_objects(root)).folder


StartServer = Callable[..., PredictionServer]


@pytest.fixture
def server_of(tmp_path: Path) -> Iterator[StartServer]:
    """Makes servers on a folder, not started yet; they end with the test."""
    made: list[PredictionServer] = []

    def make(folder: str, **variables: str) -> PredictionServer:
        made.append(PredictionServer(folder, tmp_path / f"server-{len(made)}.log", **variables))
        return made[-1]

    yield make
    for server in made:
        server.end()


def _published(kind: ModelKind, like: tuple[ModelManifest, bytes], root: Path) -> str:
    if kind == "sklearn":
        return publish_version(str(root), *like, open_objects(str(root))).folder
    births = load_births()
    trained = TRAINERS[kind](pd.concat([births, without_ultrasound(births)], ignore_index=True))
    content = trained.content()
    manifest = like[0].model_copy(
        update={
            "kind": kind,
            "artifact": trained.artifact,
            "sha256": hashlib.sha256(content).hexdigest(),
            "libraries": {name: installed(name) for name in trained.libraries},
        }
    )
    return publish_version(str(root), manifest, content, open_objects(str(root))).folder
