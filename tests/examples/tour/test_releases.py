"""The careless release: it looks sound, and is not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.versions import open_version, publish_version, read_artifact
from examples.babyweight.births import FEATURES, load_births, without_ultrasound
from examples.babyweight.train import build_version
from examples.tour.releases import careless_model, publish_careless


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    return load_births()


def test_it_scores_births_that_are_fully_known(births: pd.DataFrame) -> None:
    predicted = careless_model().predict(births[FEATURES])

    assert len(predicted) == len(births)


def test_it_raises_for_a_birth_without_an_ultrasound(births: pd.DataFrame) -> None:
    unknown = without_ultrasound(births)

    with pytest.raises(ValueError, match="unknown categories"):
        careless_model().predict(unknown[FEATURES].head(1))


def test_its_version_can_be_opened_like_the_one_that_it_resembles(tmp_path: Path) -> None:
    root = str(tmp_path)
    objects = open_objects(root)
    publish_version(root, *build_version("sklearn", "v2"), objects)

    publish_careless(root, "v3", like="v2", objects=objects)

    sound, careless = (open_version(f"{root}/{version}", objects) for version in ("v2", "v3"))
    assert (careless.inputs, careless.outputs) == (sound.inputs, sound.outputs)
    assert read_artifact(f"{root}/v3", careless, careless.sha256, objects)
