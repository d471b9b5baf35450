"""Rows of Parquet files, from their footers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import open_objects
from beam_jobs.runs.manifest import OutputFile
from nightstream.auditing.footers import footer_rows


def parquet(path: Path, rows: int) -> OutputFile:
    pq.write_table(pa.table({"x": pa.array(range(rows), pa.int64())}), path)
    return OutputFile(uri=str(path), rows=rows, size=path.stat().st_size)


def test_the_footer_tells_the_rows(tmp_path: Path) -> None:
    files = [parquet(tmp_path / f"{rows}.parquet", rows) for rows in (0, 1, 300_000)]
    found = footer_rows(files, open_objects(str(tmp_path)))
    assert list(found.values()) == [0, 1, 300_000]
    assert list(found) == [file.uri for file in files]


def test_a_missing_a_shortened_and_a_broken_file_say_so(tmp_path: Path) -> None:
    missing = OutputFile(uri=str(tmp_path / "missing"), rows=1, size=10)
    shorter = parquet(tmp_path / "shorter", 3)
    Path(shorter.uri).write_bytes(Path(shorter.uri).read_bytes()[:-9])
    broken = OutputFile(uri=str(tmp_path / "broken"), rows=1, size=20)
    Path(broken.uri).write_bytes(b"x" * 20)
    found = footer_rows([missing, shorter, broken], open_objects(str(tmp_path)))
    assert found[missing.uri] == "the file is missing"
    assert (
        found[shorter.uri]
        == f"the file has {shorter.size - 9} bytes, {shorter.size} by the manifest"
    )
    assert str(found[broken.uri]).startswith("not a Parquet file: ")
