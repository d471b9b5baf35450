"""Instances become typed columns; what does not fit is told by instance and field."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.server.features import features_of
from beam_jobs.prediction.server.problems import MOST_PROBLEMS, Problem, RefusedRequest
from beam_jobs.prediction.server.request import PredictRequest

INPUTS = [
    ModelColumn(name=name, type=name)
    for name in ("string", "integer", "float", "boolean", "timestamp", "date")
]
GOOD: dict[str, Any] = {
    "string": "x",
    "integer": 1,
    "float": 1.5,
    "boolean": True,
    "timestamp": "2026-01-31T12:00:00+02:00",
    "date": "2026-01-31",
}


def features(*instances: dict[str, Any], key: str | None = None) -> list[dict[str, Any]]:
    return features_of(PredictRequest(list(instances), key), INPUTS).to_pylist()


def problems(*instances: dict[str, Any], key: str | None = None) -> tuple[Problem, ...]:
    with pytest.raises(RefusedRequest) as refusal:
        features(*instances, key=key)
    assert refusal.value.status == 400
    return refusal.value.problems


def test_every_type_has_its_json_form() -> None:
    assert features(GOOD) == [
        {
            **GOOD,
            "timestamp": datetime(2026, 1, 31, 10, tzinfo=UTC),
            "date": date(2026, 1, 31),
        }
    ]


def test_no_instances_are_no_rows() -> None:
    assert features() == []


def test_null_is_for_the_model_to_judge() -> None:
    nothing = dict.fromkeys(GOOD)
    assert features(nothing) == [nothing]
    assert features(nothing, GOOD)[0] == nothing


@pytest.mark.parametrize(
    ("field", "sent", "taken"),
    [
        ("integer", 3.0, 3),
        ("integer", 2**53 + 1, 2**53 + 1),
        ("integer", -(2**63), -(2**63)),
        ("float", 3, 3.0),
        ("float", 2**60 + 1, 2.0**60),
        ("string", "", ""),
        ("boolean", False, False),
        ("date", None, None),
    ],
)
def test_a_value_may_be_written_in_these_ways(field: str, sent: object, taken: object) -> None:
    assert features({**GOOD, field: sent})[0][field] == taken


@pytest.mark.parametrize(
    ("field", "sent", "message"),
    [
        ("integer", 3.5, "the number 3.5 is no integer"),
        ("integer", 2**63, "the number 9223372036854775808 is no integer"),
        ("integer", 1e30, "the number 1e+30 is no integer"),
        ("integer", "3", "the string '3' is no integer"),
        ("integer", True, "true is no integer"),
        ("float", "1.5", "the string '1.5' is no float"),
        ("float", False, "false is no float"),
        ("float", [1.5], "an array is no float"),
        ("string", 1, "the number 1 is no string"),
        ("string", {"a": 1}, "an object is no string"),
        ("boolean", 1, "the number 1 is no boolean"),
        ("boolean", "true", "the string 'true' is no boolean"),
        ("timestamp", "yesterday", "the string 'yesterday' is no timestamp"),
        ("timestamp", 0, "the number 0 is no timestamp"),
        ("date", "31.01.2026", "the string '31.01.2026' is no date"),
    ],
)
def test_any_other_value_is_told_with_what_it_is(field: str, sent: object, message: str) -> None:
    (problem,) = problems(GOOD, {**GOOD, field: sent}, GOOD)
    assert (problem.instance, problem.field, problem.message) == (1, field, message)
    assert problem.remedy.startswith("send ")


def test_an_integer_beyond_floats_keeps_its_value_beside_one_with_a_fraction_of_zero() -> None:
    sent = [{**GOOD, "integer": 2**53 + 1}, {**GOOD, "integer": 3.0}]
    assert [row["integer"] for row in features(*sent)] == [2**53 + 1, 3]


def test_missing_and_unknown_fields_are_told() -> None:
    renamed = {("weight" if name == "float" else name): value for name, value in GOOD.items()}
    missing, unknown = problems(GOOD, renamed)
    assert str(missing).startswith("instances[1].float: is missing. Remedy: send it")
    assert str(unknown).startswith("instances[1].weight: is no field of the model. Remedy: send ")


def test_all_problems_are_told_up_to_a_bound_in_the_order_of_the_instances() -> None:
    found = problems({**GOOD, "float": "x"}, {**GOOD, "date": 1, "string": 2}, GOOD)
    assert [(p.instance, p.field) for p in found] == [(0, "float"), (1, "string"), (1, "date")]
    many = problems(*[{**GOOD, "float": "x"}] * 50)
    assert [p.instance for p in many] == list(range(MOST_PROBLEMS))


def test_a_key_comes_with_every_instance_and_is_a_string_or_a_number() -> None:
    request = PredictRequest([{**GOOD, "id": "a"}, {**GOOD, "id": 2}], "id")
    assert features_of(request, INPUTS).num_rows == 2
    assert [p.message for p in problems(GOOD, key="id")] == ["is missing", "null is no key"]
    (problem,) = problems({**GOOD, "id": ["a"]}, key="id")
    assert str(problem) == "instances[0].id: an array is no key. Remedy: send a string or a number"


def test_the_key_may_be_one_of_the_models_own_inputs() -> None:
    assert len(features(GOOD, key="string")) == 1


@given(
    st.lists(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=3),
        max_size=30,
    )
)
def test_exactly_the_whole_numbers_of_64_bits_are_integers(values: list[Any]) -> None:
    request = PredictRequest([{"n": value} for value in values], None)
    inputs = [ModelColumn(name="n", type="integer")]
    wrong = [number for number, value in enumerate(values) if not _is_integer(value)]
    if wrong:
        with pytest.raises(RefusedRequest) as refusal:
            features_of(request, inputs)
        assert [problem.instance for problem in refusal.value.problems] == wrong[:MOST_PROBLEMS]
    else:
        assert features_of(request, inputs).column("n").to_pylist() == values


def _is_integer(value: object) -> bool:
    if isinstance(value, float):
        return math.floor(value) == value and -(2.0**63) <= value < 2.0**63
    return value is None or (type(value) is int and -(2**63) <= value < 2**63)
