"""Models of each kind, loaded from their version folder, score Arrow batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import ModelColumn, ModelManifest
from beam_jobs.prediction.models import Model, PredictionShapeError, load_model
from beam_jobs.prediction.versions import open_version, publish_version
from examples.babyweight.births import FEATURES, TARGET, load_births
from examples.babyweight.train import TRAINERS, build_version

TYPES = [pa.string(), pa.float64(), pa.string(), pa.float64()]
BIRTHS = load_births()


def batch(rows: slice = slice(None)) -> pa.RecordBatch:
    columns = [pa.array(BIRTHS[name][rows], t) for name, t in zip(FEATURES, TYPES, strict=True)]
    return pa.RecordBatch.from_arrays(columns, FEATURES)


@pytest.fixture(scope="module", params=sorted(TRAINERS))
def version(request: pytest.FixtureRequest) -> tuple[ModelManifest, bytes]:
    return build_version(request.param, "v1")


@pytest.fixture
def model(version: tuple[ModelManifest, bytes], root: str, objects: Objects) -> Model:
    folder = publish_version(root, *version, objects).folder
    return load_model(folder, open_version(folder, objects), version[0].sha256, objects)


def test_the_example_keeps_its_promise_of_accuracy(
    version: tuple[ModelManifest, bytes],
) -> None:
    assert version[0].metrics["cv_rmse_pounds"] <= 1.06


def test_a_loaded_model_predicts_the_real_births(model: Model) -> None:
    predictions = model.predict(batch())
    errors = predictions.column("predicted_weight_pounds").to_numpy() - BIRTHS[TARGET].to_numpy()
    assert predictions.num_rows == len(BIRTHS)
    assert np.sqrt(np.mean(errors**2)) <= 1.06


def test_rows_are_scored_alike_alone_and_in_a_batch(model: Model) -> None:
    together = model.predict(batch(slice(0, 50))).column(0).to_numpy()
    alone = [model.predict(batch(slice(i, i + 1))).column(0)[0].as_py() for i in range(50)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_columns_beside_the_models_own_are_left_alone(model: Model) -> None:
    wide = batch(slice(0, 5)).append_column("key", pa.array(list("abcde")))
    assert model.predict(wide) == model.predict(batch(slice(0, 5)))


class OneRowShort:
    def predict(self, features: pa.RecordBatch) -> np.ndarray:
        return np.zeros(features.num_rows - 1)


class Wide:
    def predict(self, features: pa.RecordBatch) -> np.ndarray:
        return np.column_stack([np.arange(features.num_rows), np.ones(features.num_rows)])


def test_an_answer_with_a_row_too_few_is_never_joined(
    trained: tuple[ModelManifest, bytes],
) -> None:
    with pytest.raises(PredictionShapeError, match=r"asked for 10 rows of 1 outputs.*\(9,\)"):
        Model(trained[0], OneRowShort()).predict(batch(slice(0, 10)))


def test_several_outputs_become_several_columns(trained: tuple[ModelManifest, bytes]) -> None:
    outputs = (ModelColumn(name="rank", type="integer"), ModelColumn(name="sure", type="float"))
    model = Model(trained[0].model_copy(update={"outputs": outputs}), Wide())
    assert model.predict(batch(slice(0, 3))).to_pydict() == {
        "rank": [0, 1, 2],
        "sure": [1.0, 1.0, 1.0],
    }


def test_each_kind_names_the_library_that_opens_it(version: tuple[ModelManifest, bytes]) -> None:
    assert list(version[0].libraries)
