"""Nothing is joined to its rows unless count, keys, types and numbers are right."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.remote.answers import (
    ReorderedError,
    ServedBy,
    WrongAnswerError,
    checked_outputs,
    read_answer,
    stray_answer,
)
from beam_jobs.runs.plan import EndpointPin

WEIGHT = ModelColumn(name="weight", type="float")
GRADE = ModelColumn(name="grade", type="integer")
LABEL = ModelColumn(name="label", type="string")
SURE = ModelColumn(name="sure", type="boolean")
PIN = EndpointPin(name="projects/p/locations/r/endpoints/7", address="http://x")


@pytest.mark.parametrize(
    "predictions",
    [
        [{"#": 5, "weight": 7.5, "grade": 2}, {"#": 6, "weight": 3, "grade": 1}],
        [{"grade": 2, "weight": 7.5, "more": None}, {"grade": 1, "weight": 3, "more": "x"}],
        [[7.5, 2], [3, 1]],
        [[7.5, 2.0], [3.0, 1.0]],
    ],
)
def test_objects_and_lists_become_columns_of_the_models_types(predictions: list[Any]) -> None:
    outputs = checked_outputs(predictions, [5, 6], (WEIGHT, GRADE))
    assert outputs.schema == pa.schema([("weight", pa.float64()), ("grade", pa.int64())])
    assert outputs.to_pylist() == [{"weight": 7.5, "grade": 2}, {"weight": 3.0, "grade": 1}]


@pytest.mark.parametrize(
    ("output", "values"),
    [(WEIGHT, [1, 2.5]), (GRADE, [1, 2]), (LABEL, ["a", ""]), (SURE, [True, False])],
)
def test_one_output_may_come_as_it_is(output: ModelColumn, values: list[Any]) -> None:
    assert checked_outputs(values, [0, 1], (output,)).column(0).to_pylist() == values


@pytest.mark.parametrize(
    ("output", "values"),
    [
        (WEIGHT, ["1.5", "2.5"]),
        (WEIGHT, [True, False]),
        (WEIGHT, [1.5, None]),
        (WEIGHT, [1.5, True]),
        (WEIGHT, [{"weight": 1.5}, {}]),
        (WEIGHT, [{"wait": 1.5}, {"wait": 1.5}]),
        (WEIGHT, [[1.5, 2.5], [1.5, 2.5]]),
        (WEIGHT, [[], []]),
        (WEIGHT, [10**400, 1]),
        (GRADE, [1.5, 2.0]),
        (GRADE, ["1", "2"]),
        (LABEL, [1, 2]),
        (LABEL, [["a"], "b"]),
        (SURE, [0, 1]),
        (SURE, ["true", "false"]),
    ],
)
def test_values_of_another_type_are_an_error(output: ModelColumn, values: list[Any]) -> None:
    with pytest.raises(WrongAnswerError):
        checked_outputs(values, [0, 1], (output,))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_an_error(number: float) -> None:
    with pytest.raises(WrongAnswerError, match="no finite number"):
        checked_outputs([1.0, number], [0, 1], (WEIGHT,))


@given(st.integers(0, 5), st.integers(1, 5))
def test_another_count_is_an_error(answered: int, asked: int) -> None:
    if answered == asked:
        return
    with pytest.raises(WrongAnswerError, match=f"{answered} predictions for {asked} instances"):
        checked_outputs([1.0] * answered, list(range(asked)), (WEIGHT,))


@given(st.permutations(range(5)))
def test_any_other_order_of_the_repeated_keys_is_an_error(order: list[int]) -> None:
    predictions = [{"#": key, "weight": key / 5} for key in order]
    if order == sorted(order):
        assert checked_outputs(predictions, range(5), (WEIGHT,)).num_rows == 5
    else:
        with pytest.raises(ReorderedError):
            checked_outputs(predictions, range(5), (WEIGHT,))


def test_keys_that_only_some_predictions_repeat_are_an_error() -> None:
    with pytest.raises(ReorderedError):
        checked_outputs([{"#": 0, "weight": 1.0}, {"weight": 2.0}], [0, 1], (WEIGHT,))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(st.lists(JSON | st.fixed_dictionaries({"weight": JSON}), min_size=1, max_size=4))
def test_predictions_of_any_form_are_right_or_an_error(predictions: list[Any]) -> None:
    try:
        outputs = checked_outputs(predictions, range(len(predictions)), (WEIGHT, GRADE))
    except WrongAnswerError:
        return
    assert outputs.num_rows == len(predictions)
    assert [column.null_count for column in outputs.columns] == [0, 0]


@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_body_of_any_form_is_an_answer_or_an_error(body: bytes) -> None:
    try:
        answer = read_answer(body)
    except WrongAnswerError:
        return
    assert isinstance(answer.predictions, list)


def test_the_container_may_say_which_model_it_is() -> None:
    said = {"predictions": [], "model": {"name": "weights", "version": "v2", "sha256": "6"}}
    assert read_answer(json.dumps(said).encode()).model == ServedBy("v2", "6")
    said["model"] = "projects/p/locations/r/models/3"
    assert read_answer(json.dumps(said).encode()).model == ServedBy()


def test_only_the_pinned_deployment_may_answer_a_night() -> None:
    night = PIN.model_copy(update={"deployed_model_id": "4711"})
    assert stray_answer(night, "6", "4711", ServedBy()) is None
    assert stray_answer(night, "6", "4711", ServedBy("v2", "6")) is None
    assert stray_answer(night, "6", "4712", ServedBy("v2", "6")) is not None
    assert stray_answer(night, "6", None, ServedBy("v2", "6")) is not None
    assert stray_answer(night, "6", "4711", ServedBy("v2", "7")) is not None
    assert stray_answer(PIN, "6", "4712", ServedBy("v3", "7")) is None
