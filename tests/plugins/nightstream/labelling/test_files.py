"""Label files: what is read of them, and what is said of those that are none."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.objects import ObjectInfo
from beam_jobs.objects.files import FileObjects
from nightstream.labelling.files import FileColumns, LabelError, label_files, write_labels

COLUMNS = FileColumns("id", "string", "truth", None)
NIGHTLY = FileColumns("id", "integer", "truth", "of")


def read(folder: Path, columns: FileColumns, **files: bytes) -> list[dict[str, object]]:
    """The labels of some files, named `<name>_<suffix>`."""
    objects, listed = FileObjects(), []
    for name, content in files.items():
        uri = str(folder / name.replace("_", "."))
        objects.put(uri, content)
        info = objects.stat(uri)
        assert info is not None
        listed.append(info)
    target = folder / "all.out"
    rows = write_labels(listed, columns, objects, target)
    table = pq.read_table(target)
    assert table.num_rows == rows
    return table.to_pylist()


def parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_csv_and_parquet_files_are_read_by_name_and_as_the_input_s_types(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        NIGHTLY,
        a_csv=b"of,note,truth,id\n2026-01-05,x,1.5,7\n,,,8\n",
        b_parquet=parquet(id=[9], truth=[True], of=[date(2026, 1, 6)]),
        c_csv=b"",
    )
    assert found == [
        {"id": 7, "truth": 1.5, "of": date(2026, 1, 5)},
        {"id": 8, "truth": None, "of": None},
        {"id": 9, "truth": 1.0, "of": date(2026, 1, 6)},
    ]


def test_keys_that_look_like_numbers_or_nulls_stay_text(tmp_path: Path) -> None:
    found = read(tmp_path, COLUMNS, a_csv=b'id,truth\n007,1\nNA,2\n"",3\n')
    assert found == [
        {"id": "007", "truth": 1.0},
        {"id": "NA", "truth": 2.0},
        {"id": "", "truth": 3.0},
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a_csv", b"id,weight\nx,1\n", "truth"),
        ("a_csv", b"id,truth\nx,heavy\n", "heavy"),
        ("a_csv", b"id,truth\nx,1,2\n", "Expected 2 columns, got 3"),
        ("a_parquet", b"id,truth\n", "Parquet"),
        ("a_parquet", parquet(id=["x"]), "it has no column truth"),
        ("a_parquet", parquet(id=["x"], truth=["heavy"]), "heavy"),
    ],
)
def test_a_file_of_something_else_is_named_with_what_is_wrong_and_what_helps(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(LabelError) as error:
        read(tmp_path, COLUMNS, **{name: content})
    message = str(error.value)
    assert f"{tmp_path}/{name.replace('_', '.')} is no file of labels" in message
    assert said in message
    assert "Remedy: write the columns id (string), truth (double)" in message


@given(st.dictionaries(st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True), st.floats(-9, 9)))
def test_every_label_arrives_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, labels: dict[str, float]
) -> None:
    lines = ["id,truth", *(f'"{key}",{value!r}' for key, value in labels.items())]
    found = read(
        tmp_path_factory.mktemp("labels"),
        COLUMNS,
        a_csv="".join(f"{line}\n" for line in lines).encode(),
    )
    assert {str(row["id"]): row["truth"] for row in found} == labels


def test_only_files_that_came_since_the_first_night_are_read() -> None:
    class Listed(FileObjects):
        def list(self, prefix: str) -> list[ObjectInfo]:
            assert prefix == "gs://in/truth/"
            night = datetime(2026, 1, 5, tzinfo=UTC)
            return [
                ObjectInfo(f"{prefix}{name}", 1, 1, night + timedelta(days=day))
                for name, day in (("old.csv", -1), ("new.csv", 0), ("new.txt", 1), ("x/y.csv", 1))
            ]

    found = label_files("in", "truth/*.csv", date(2026, 1, 5), Listed())
    assert [file.uri for file in found] == ["gs://in/truth/new.csv"]
