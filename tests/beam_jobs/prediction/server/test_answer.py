"""What a request is answered, by models of all moods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from beam_jobs.objects import Objects
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.server.answer import answer
from beam_jobs.prediction.server.opening import open_served
from beam_jobs.prediction.server.problems import RefusedRequest
from tests.support.models import Moody, release


class Broken:
    """Fails on anything."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        raise RuntimeError(f"no weights for {len(frame)} rows")


class Short:
    """Answers with one row less than it was asked for."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return np.zeros(len(frame) - 1)


class Infinite:
    """Knows nothing of weeks above 40."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return np.where(frame["weeks"] > 40, np.inf, frame["weeks"] / 5)


ModelOf = Callable[[object], Model]


@pytest.fixture
def model_of(root: str, objects: Objects) -> ModelOf:
    def make(estimator: object) -> Model:
        release(root, "v1", objects, model=estimator)
        return open_served(f"{root}/v1")

    return make


def asked(model: Model, *weeks: float | None, **parameters: str) -> Any:
    instances = [{"weeks": value, "id": value} for value in weeks]
    if "key" not in parameters:
        instances = [{"weeks": value} for value in weeks]
    request = {"instances": instances, "parameters": parameters}
    return orjson.loads(answer(orjson.dumps(request), model).body)


def refusal(model: Model, *weeks: float | None, **parameters: str) -> RefusedRequest:
    with pytest.raises(RefusedRequest) as refused:
        asked(model, *weeks, **parameters)
    return refused.value


def test_predictions_are_objects_by_output(model_of: ModelOf) -> None:
    assert asked(model_of(Moody()), 20, 40)["predictions"] == [{"weight": 4.0}, {"weight": 8.0}]
    assert asked(model_of(Moody()))["predictions"] == []


def test_a_key_that_an_output_is_called_is_refused(model_of: ModelOf) -> None:
    found = refusal(model_of(Moody()), 20, key="weight")
    assert found.status == 400
    assert "Remedy: give the key's field another name" in str(found)


def test_an_instance_that_the_model_fails_on_is_named(model_of: ModelOf) -> None:
    found = refusal(model_of(Moody()), 20, -1, 30, -2)
    assert found.status == 400
    assert [problem.instance for problem in found.problems] == [1, 3]
    assert "the model failed: ValueError: cannot score -1" in str(found)


def test_an_instance_is_to_blame_also_when_it_is_alone(model_of: ModelOf) -> None:
    assert refusal(model_of(Moody()), -1).status == 400


@pytest.mark.parametrize("estimator", [Broken(), Short()])
def test_a_model_that_fails_on_anything_is_to_blame_itself(
    model_of: ModelOf, estimator: object
) -> None:
    found = refusal(model_of(estimator), 20, 30)
    assert found.status == 500
    assert [problem.instance for problem in found.problems] == [0, 1]


def test_a_prediction_that_is_no_finite_number_is_an_error(model_of: ModelOf) -> None:
    model = model_of(Infinite())
    found = refusal(model, 20, 41, 30)
    assert (found.status, [problem.instance for problem in found.problems]) == (400, [1])
    assert "instances[1]: the model predicted weight = inf" in str(found)
    assert asked(model, 20, 30)["predictions"] == [{"weight": 4.0}, {"weight": 6.0}]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "the request is an array, not an object"),
        ({}, "instances is null, not an array"),
        ({"instances": {}}, "instances is an object, not an array"),
        ({"instances": [{"weeks": 1}, 2]}, "instances[1]: is the number 2, not an object"),
        ({"instances": [], "signature_name": "x"}, "the request has a member 'signature_name'"),
        ({"instances": [], "parameters": []}, "parameters is an array, not an object"),
        ({"instances": [], "parameters": {"top": 3}}, "the parameter 'top' means nothing"),
        ({"instances": [], "parameters": {"key": 3}}, "parameters.key is the number 3"),
    ],
)
def test_a_request_of_another_form_is_refused(
    model_of: ModelOf, request_: object, message: str
) -> None:
    with pytest.raises(RefusedRequest) as refused:
        answer(orjson.dumps(request_), model_of(Moody()))
    assert refused.value.status == 400
    assert str(refused.value).startswith(message)
    assert "Remedy: " in str(refused.value)
