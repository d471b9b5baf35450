from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.objects import open_objects
from beam_jobs.transforms import parquet
from beam_jobs.transforms.parquet import ParquetFiles

LABEL = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([("n", pa.int64()), ("label", LABEL)])


def rows(start: int, stop: int, label: str = "x") -> pa.RecordBatch:
    numbers = pa.array(range(start, stop), pa.int64())
    return pa.RecordBatch.from_arrays(
        [numbers, pa.array([label] * (stop - start)).dictionary_encode()], schema=SCHEMA
    )


@pytest.fixture
def files(tmp_path: Path) -> ParquetFiles:
    return ParquetFiles(str(tmp_path / "out"), SCHEMA, open_objects(str(tmp_path)))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of ten rows, files of thirty."""
    monkeypatch.setattr(parquet, "GROUP_ROWS", 10)
    monkeypatch.setattr(parquet, "FILE_ROWS", 30)


def test_batches_are_gathered_into_large_row_groups(files: ParquetFiles) -> None:
    for start in range(0, 1_000, 10):
        files.write(rows(start, start + 10))
    (file,) = files.close()
    assert pq.ParquetFile(file.uri).metadata.num_row_groups == 1
    assert pq.read_table(file.uri)["n"].to_pylist() == list(range(1_000))


@pytest.mark.usefixtures("small")
def test_a_full_file_is_followed_by_the_next(files: ParquetFiles) -> None:
    for start in range(0, 100, 5):
        files.write(rows(start, start + 5))
    written = files.close()
    assert [file.rows for file in written] == [30, 30, 30, 10]
    numbers = [n for file in written for n in pq.read_table(file.uri)["n"].to_pylist()]
    assert numbers == list(range(100))
    assert len({file.uri for file in written}) == 4


def test_labels_that_change_from_batch_to_batch_stay_with_their_rows(files: ParquetFiles) -> None:
    files.write(rows(0, 2, "a"))
    files.write(rows(2, 4, "b"))
    (file,) = files.close()
    assert pq.read_table(file.uri)["label"].to_pylist() == ["a", "a", "b", "b"]


def test_nothing_written_makes_no_file(files: ParquetFiles) -> None:
    assert files.close() == ()


def test_one_file_at_least_has_the_schema_and_no_rows(files: ParquetFiles) -> None:
    (file,) = files.close(at_least_one=True)
    assert file.rows == 0
    assert pq.read_table(file.uri).schema.names == ["n", "label"]


@pytest.mark.usefixtures("small")
def test_a_failing_upload_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    files = ParquetFiles(str(tmp_path / "out"), SCHEMA, open_objects(str(tmp_path)))
    files.write(rows(0, 30))
    with pytest.raises(OSError, match="out"):
        files.close()


@pytest.mark.usefixtures("small")
def test_an_abandoned_bundle_leaves_neither_files_nor_threads(files: ParquetFiles) -> None:
    files.write(rows(0, 10))
    scratch = Path(files._scratch.name)
    files.abandon()
    assert not scratch.exists()
    assert not [thread for thread in threading.enumerate() if "parquet" in thread.name]
