"""Which texts and values are legal for which type."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.contract.casting import BooleanTokens, cast
from beam_jobs.contract.types import arrow_type
from beam_jobs.spec.fields import FieldType

TOKENS = BooleanTokens(("yes", "1"), ("no", "0"))
WRONG = object()


def cast_one(value: Any, type_: FieldType) -> Any:
    """The value cast, or WRONG; between others that fit and one that does not."""
    texts = pa.array([None, value, "wrong!", None])
    typed, failed = cast(texts, type_, TOKENS)
    assert typed.type == arrow_type(type_)
    if type_ != "string":
        assert failed is not None
        assert failed.tolist()[2:] == [True, False]
        assert not failed[0]
    return WRONG if failed is not None and failed[1] else typed[1].as_py()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        (" 1.5\t", 1.5),
        ("+1", 1.0),
        ("-.5e-1", -0.05),
        ("1.", 1.0),
        ("inf", float("inf")),
        ("1e999", float("inf")),
        ("0x10", WRONG),
        ("1,5", WRONG),
        ("1_0", WRONG),
        ("", WRONG),
        ("٣", WRONG),
    ],
)
def test_floats(text: str, value: Any) -> None:
    assert cast_one(text, "float") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        (" -7 ", -7),
        ("007", 7),
        ("0x1F", 31),
        ("3.0", 3),
        ("1e3", 1000),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", WRONG),
        ("9007199254740993.0", WRONG),
        ("3.5", WRONG),
        ("nan", WRONG),
        ("", WRONG),
        ("three", WRONG),
    ],
)
def test_integers(text: str, value: Any) -> None:
    assert cast_one(text, "integer") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("1", True), ("no", False), ("Yes", WRONG), (" yes", WRONG), ("true", WRONG)],
)
def test_booleans(text: str, value: Any) -> None:
    assert cast_one(text, "boolean") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02", dt.date(2026, 1, 2)),
        (" 2026-01-02", dt.date(2026, 1, 2)),
        ("2026-02-30", WRONG),
        ("2026-1-2", WRONG),
        ("02.01.2026", WRONG),
        ("2026-01-02T00:00", WRONG),
    ],
)
def test_dates(text: str, value: Any) -> None:
    assert cast_one(text, "date") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("2026-01-02 03:04:05+02:00", dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC)),
        ("2026-01-02T03:04:05-0500", dt.datetime(2026, 1, 2, 8, 4, 5, tzinfo=dt.UTC)),
        ("2026-01-02T03:04:05", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("2026-01-02t03:04z", dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)),
        ("2026-01-02", dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        ("2026-01-02T00:00:00.123456789Z", dt.datetime(2026, 1, 2, 0, 0, 0, 123456, dt.UTC)),
        ("2026-01-02T25:00Z", WRONG),
        ("1767225600", WRONG),
        ("2. Jan 2026", WRONG),
    ],
)
def test_timestamps(text: str, value: Any) -> None:
    assert cast_one(text, "timestamp") == value


def test_timestamps_mean_the_same_alone_and_among_others() -> None:
    naive, zoned = "2026-01-02T03:04:05", "2026-01-02T05:04:05+02:00"
    for texts in ([naive], [zoned], [naive, zoned], ["x", naive, zoned]):
        typed, _ = cast(pa.array(texts), "timestamp", TOKENS)
        assert {value.isoformat() for value in typed.to_pylist() if value} == {
            "2026-01-02T03:04:05+00:00"
        }


def test_strings_are_taken_as_they_are() -> None:
    column = pa.array([" a ", "", None])
    typed, failed = cast(column, "string", TOKENS)
    assert typed is column
    assert failed is None


def test_a_column_that_has_its_type_is_not_copied() -> None:
    column = pa.array([1.0, None])
    assert cast(column, "float", TOKENS) == (column, None)
    assert cast(column, "float", TOKENS)[0] is column


def test_a_column_of_nulls_fits_every_type() -> None:
    for type_ in ("string", "integer", "float", "boolean", "timestamp", "date"):
        typed, failed = cast(pa.nulls(3), type_, TOKENS)
        assert (typed.type, typed.null_count, failed) == (arrow_type(type_), 3, None)


@given(
    texts=st.lists(st.text("0123456789.+-eExXnaif \t\v\f\n_,TZ:", max_size=12), max_size=12),
    type_=st.sampled_from(["integer", "float", "date"]),
)
@settings(max_examples=200, deadline=None)
def test_text_is_cast_as_the_csv_parser_casts_it(texts: list[str], type_: FieldType) -> None:
    """A block takes the parser's way when all cells convert, and this one otherwise."""
    typed, failed = cast(pa.array(texts, pa.string()), type_, TOKENS)
    for index, text in enumerate(texts):
        parsed = _parse_as_csv(text, arrow_type(type_))
        if parsed is not None:
            assert failed is None or not failed[index]
            assert parsed.equals(typed.slice(index, 1)) or str(parsed[0]) == str(typed[index])


def _parse_as_csv(text: str, type_: pa.DataType) -> pa.Array | None:
    cell = '"' + text + '",\n'
    try:
        return pc.read_csv(
            pa.BufferReader(cell.encode()),
            read_options=pc.ReadOptions(column_names=["x", "y"]),
            parse_options=pc.ParseOptions(newlines_in_values=True),
            convert_options=pc.ConvertOptions(column_types={"x": type_}, null_values=[]),
        )["x"].chunk(0)
    except pa.ArrowInvalid:
        return None
