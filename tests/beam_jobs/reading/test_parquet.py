"""Parquet files: columns by name, lossless casts, row numbers as positions."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.objects import ObjectChangedError, open_objects
from beam_jobs.reading import InputFileError, inspect, read
from tests.support.input_files import InputFolder, Outcome, input_spec, pinned

FIELDS = [
    {"name": "key", "type": "string"},
    {"name": "age", "type": "float"},
    {"name": "weeks", "type": "integer", "nullable": True},
    {"name": "seen", "type": "timestamp", "nullable": True},
]
SPEC = input_spec(FIELDS, type="parquet")


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def outcome_of(folder: InputFolder, columns: dict[str, Any], **options: Any) -> Outcome:
    return folder.outcome(parquet(columns, **options), SPEC, 10, "night.parquet")


def test_columns_are_found_by_name_and_rows_by_number(folder: InputFolder) -> None:
    columns = {"weeks": [1, 2, 3], "x": [0, 0, 0], "age": [1.5, 2.5, 3.5], "key": ["a", "b", "c"]}
    result = outcome_of(folder, columns, row_group_size=2)
    assert result.values == [
        ("a", 1.5, 1, None),
        ("b", 2.5, 2, None),
        ("c", 3.5, 3, None),
    ]
    assert [row["position"] for row in result.rows] == [0, 1, 2]
    assert result.layout.extra_columns == ("x",)
    assert len(result.layout.ranges(10)) == 1


def test_other_types_are_cast_where_nothing_is_lost(folder: InputFolder) -> None:
    columns = {
        "key": pa.array(["a", "b"]).dictionary_encode(),
        "age": pa.array([1, 2], pa.int32()),
        "weeks": pa.array([3.0, None], pa.float32()),
        "seen": pa.array([1767322800 * 10**9 + 1, None], pa.timestamp("ns")),
    }
    first, second = outcome_of(folder, columns).values
    assert first == ("a", 1.0, 3, dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC))
    assert second == ("b", 2.0, None, None)


def test_values_that_would_lose_something_are_dead_letters(folder: InputFolder) -> None:
    columns = {
        "key": ["a", "b", "c", "d"],
        "age": pa.array([1, 2**53 + 1, 3, 4]),
        "weeks": pa.array([1.0, 2.0, 3.5, float("nan")]),
    }
    result = outcome_of(folder, columns)
    assert [row["key"] for row in result.rows] == ["a"]
    assert result.codes == ["wrong_type"] * 3
    assert [d["position"] for d in result.dead] == [1, 2, 3]
    assert json.loads(result.dead[1]["payload"]) == {"key": "c", "age": 3, "weeks": 3.5}


def test_text_columns_are_read_as_csv_cells_are(folder: InputFolder) -> None:
    result = outcome_of(folder, {"key": ["a", "b"], "age": ["1.5", "x"]})
    assert result.values == [("a", 1.5, None, None)]
    assert result.dead[0]["error_message"] == "age: 'x' is not a float"


def test_text_that_is_not_utf8_is_a_dead_letter(folder: InputFolder) -> None:
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in range(4)))
    keys = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"a\xffc"))
    result = outcome_of(folder, {"key": keys, "age": [1.0, 2.0, 3.0]})
    assert [row["key"] for row in result.rows] == ["a", "c"]
    assert [(d["error_code"], d["position"]) for d in result.dead] == [("not_utf8", 1)]
    assert json.loads(result.dead[0]["payload"]) == {"key": "\\xff", "age": 2.0}


def test_a_missing_column_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match=r"night\.parquet: lacks the required column 'age'"):
        outcome_of(folder, {"key": ["a"]})


def test_a_column_of_another_type_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match=r"'age' holds list.*which is no float"):
        outcome_of(folder, {"key": ["a"], "age": [[1.0]]})


@pytest.mark.parametrize("cut", [10, 200, -1])
def test_a_truncated_file_fails_the_run(folder: InputFolder, cut: int) -> None:
    whole = parquet({"key": ["a"] * 100, "age": [1.0] * 100})
    with pytest.raises(InputFileError, match="no Parquet file, or damaged"):
        folder.outcome(whole[:cut], SPEC, name="night.parquet")


def test_damaged_pages_fail_the_run(folder: InputFolder) -> None:
    whole = bytearray(parquet({"key": [str(i) for i in range(5000)], "age": [1.0] * 5000}))
    whole[100:4000] = bytes(3900)
    with pytest.raises(InputFileError, match="damaged"):
        folder.outcome(bytes(whole), SPEC, name="night.parquet")


def test_an_empty_file_and_an_empty_table_have_no_rows(folder: InputFolder) -> None:
    assert folder.outcome(b"", SPEC, name="night.parquet").rows_in == 0
    empty = {"key": pa.array([], pa.string()), "age": pa.array([], pa.float64())}
    assert outcome_of(folder, empty).rows_in == 0


def test_rows_without_any_known_column_are_counted(folder: InputFolder) -> None:
    spec = input_spec([{"name": "key", "type": "string", "nullable": True}], type="parquet")
    result = folder.outcome(parquet({"x": [1, 2]}), spec, name="night.parquet")
    assert result.values == [(None,), (None,)]


def test_an_object_overwritten_during_the_run_is_named(folder: InputFolder) -> None:
    path: Path = folder.write(parquet({"key": ["a"], "age": [1.0]}), "night.parquet")
    objects = open_objects(str(path))
    layout = inspect(SPEC, pinned(path), objects)
    folder.write(parquet({"key": ["ab"], "age": [1.0]}), "night.parquet")
    [range_] = layout.ranges(1)
    with pytest.raises(ObjectChangedError, match=r"night\.parquet changed"):
        list(read(SPEC, layout, range_, objects))
