"""Good rows go on as they are; each bad row is one dead letter that says why."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import pyarrow as pa
import pytest

from beam_jobs.contract import Contract, arrow_type, validate
from beam_jobs.rows import DEAD_SCHEMA, GivenPayloads, RowBlock, ValidRows
from tests.support.input_files import input_spec


def field(**rules: Any) -> dict[str, Any]:
    return {"name": "x", "type": "string", **rules}


def block(*columns: list[Any] | pa.Array, names: str = "x") -> RowBlock:
    arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in columns]
    rows = len(arrays[0])
    return RowBlock(
        pa.RecordBatch.from_arrays(arrays, names=list(names)),
        pa.array(range(0, 10 * rows, 10), pa.int64()),
        GivenPayloads(pa.array([b"row %d" % i for i in range(rows)], pa.binary())),
    )


def validated(
    values: list[Any] | pa.Array, **rules: Any
) -> tuple[list[Any], list[tuple[int, str, str]]]:
    """Good values; position, code and message of the others."""
    contract = Contract.of(input_spec([field(**rules)]))
    valid, dead = validate(contract, block(values))
    assert dead.schema == DEAD_SCHEMA
    assert valid.batch.schema == contract.schema
    letters = [(d["position"], d["error_code"], d["error_message"]) for d in dead.to_pylist()]
    return valid.batch.column(0).to_pylist(), letters


def test_good_rows_are_not_copied() -> None:
    contract = Contract.of(input_spec([field(type="float", range=[0, 9])]))
    rows = block([1.0, 2.0])
    valid, dead = validate(contract, rows)
    assert dead.num_rows == 0
    assert isinstance(valid, ValidRows)
    assert valid.batch.column(0).buffers()[1].address == rows.batch.column(0).buffers()[1].address
    assert valid.payloads is rows.payloads


def test_a_missing_value_is_named() -> None:
    assert validated(["a", None]) == (["a"], [(10, "missing_value", "x: the value is missing")])


def test_a_nullable_field_keeps_its_nulls() -> None:
    assert validated(["a", None], nullable=True, allowed=["a"], pattern="a") == (["a", None], [])


def test_a_default_takes_the_place_of_a_null() -> None:
    assert validated([1, None], type="integer", default=7) == ([1, 7], [])
    day = "2026-01-02"
    assert validated(pa.nulls(1), type="date", default=day)[0] == [dt.date(2026, 1, 2)]


def test_a_default_does_not_hide_a_wrong_value() -> None:
    good, dead = validated(["1", "x"], type="integer", default=7)
    assert good == [1]
    assert dead == [(10, "wrong_type", "x: 'x' is not an integer")]


def test_long_values_are_shortened_in_the_message() -> None:
    _, [(_, _, message)] = validated(["y" * 5000], type="date")
    assert len(message) < 120
    assert message.endswith("… is not a date")


def test_nan_and_infinity_are_not_finite_and_nothing_else() -> None:
    values = [1.0, float("nan"), float("inf"), float("-inf")]
    good, dead = validated(values, type="float", range=[0, 10])
    assert good == [1.0]
    assert [code for _, code, _ in dead] == ["not_finite"] * 3


@pytest.mark.parametrize("type_", ["integer", "float"])
def test_both_ends_of_a_range_belong_to_it(type_: str) -> None:
    good, dead = validated(["0", "1", "3", "4"], type=type_, range=[1, 3])
    assert good == [1, 3]
    assert [message for _, _, message in dead] == [
        f"x: {'0' if type_ == 'integer' else '0.0'} is below the lowest value 1",
        f"x: {'4' if type_ == 'integer' else '4.0'} is above the highest value 3",
    ]


def test_an_end_of_a_range_may_be_open() -> None:
    assert validated([-5, 4], type="integer", range=[None, 3])[0] == [-5]
    assert validated([-5, 4], type="integer", range=[3, None])[0] == [4]


def test_a_range_of_integers_may_have_fractions_for_ends() -> None:
    assert validated([1, 2], type="integer", range=[1.5, 2.5])[0] == [2]


def test_large_integers_are_compared_exactly() -> None:
    good, dead = validated([2**53, 2**53 + 1], type="integer", range=[0, 2**53])
    assert good == [2**53]
    assert len(dead) == 1


@pytest.mark.parametrize(
    ("type_", "allowed", "values", "good"),
    [
        ("string", ["a", "b"], ["a", "c", "b"], ["a", "b"]),
        ("integer", [1, 2], [1, 3], [1]),
        ("float", [1, 2.5], [1.0, 2.5, 3.0], [1.0, 2.5]),
        ("boolean", [True], [True, False], [True]),
        ("date", ["2026-01-02"], ["2026-01-02", "2026-01-03"], [dt.date(2026, 1, 2)]),
    ],
)
def test_only_allowed_values_pass(
    type_: str, allowed: list[Any], values: list[Any], good: list[Any]
) -> None:
    found, dead = validated(values, type=type_, allowed=allowed)
    assert found == good
    assert [code for _, code, _ in dead] == ["not_allowed"]


def test_the_message_lists_allowed_values() -> None:
    _, [(_, _, message)] = validated(["z"], allowed=list("abcdefgh"))
    assert message == "x: 'z' is none of 'a', 'b', 'c', 'd', 'e', 'f', …"


def test_a_pattern_matches_the_whole_string() -> None:
    good, dead = validated(["ab", "xab", "ab\n", "b"], pattern="a?b|c")
    assert good == ["ab", "b"]
    assert [code for _, code, _ in dead] == ["pattern", "pattern"]


def test_a_row_with_several_faults_is_one_dead_letter_of_the_first() -> None:
    fields = [field(name="a", type="float"), field(name="b"), field(name="c", type="integer")]
    contract = Contract.of(input_spec(fields))
    rows = block(["1", "x", "2"], ["b", None, None], ["3", "y", "4"], names="abc")
    valid, dead = validate(contract, rows)
    assert valid.batch.to_pylist() == [{"a": 1.0, "b": "b", "c": 3}]
    assert [(d["error_field"], d["error_message"]) for d in dead.to_pylist()] == [
        ("a", "a: 'x' is not a float (and 2 more)"),
        ("b", "b: the value is missing"),
    ]


def test_payloads_and_positions_follow_their_rows() -> None:
    contract = Contract.of(input_spec([field(allowed=["a"])]))
    valid, dead = validate(contract, block(["z", "a", "z", "a"]))
    assert valid.positions.to_pylist() == [10, 30]
    assert valid.payloads.take([1, 0]).to_pylist() == [b"row 3", b"row 1"]
    assert [(d["position"], d["payload"]) for d in dead.to_pylist()] == [
        (0, b"row 0"),
        (20, b"row 2"),
    ]


def test_an_empty_block_is_valid() -> None:
    rules = {"type": "float", "range": [0, 1], "allowed": [1.0]}
    assert validated(pa.array([], pa.float64()), **rules) == ([], [])


def test_a_pattern_that_is_no_re2_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"field x: pattern 'a\{2000\}' .*Remedy"):
        Contract.of(input_spec([field(pattern="a{2000}")]))


def test_a_default_that_is_no_timestamp_is_refused_by_name() -> None:
    odd = "2026-01-02T03:04:05+01:00:30"
    with pytest.raises(ValueError, match=r"field x: .*01:00:30' is not a timestamp.*Remedy"):
        Contract.of(input_spec([field(type="timestamp", default=odd)]))


def test_a_contract_travels_to_workers() -> None:
    contract = Contract.of(input_spec([field(type="date", allowed=["2026-01-02"])]))
    assert pickle.loads(pickle.dumps(contract)) == contract
    assert contract.schema.field("x").type == arrow_type("date")
