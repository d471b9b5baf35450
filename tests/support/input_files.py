"""Input files on disk, read and validated as a job does it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from beam_jobs.contract import Contract, validate
from beam_jobs.objects import open_objects
from beam_jobs.reading import SourceLayout, inspect, read
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec.service import InputSpec

WHOLE = 1 << 40
"""A split size above any file's."""


def input_spec(fields: list[dict[str, Any]], **format_: Any) -> InputSpec:
    """The spec of such files; CSV unless the format says otherwise."""
    return InputSpec.model_validate(
        {
            "path": "night/{score_date}/",
            "format": {"type": "csv", **format_},
            "key": fields[0]["name"],
            "fields": fields,
        }
    )


@dataclass(frozen=True)
class Outcome:
    """All that came out of a file."""

    rows: list[dict[str, Any]]
    """Good rows with their `position`, by position."""
    dead: list[dict[str, Any]]
    """Dead letters, by position."""
    rows_in: int
    layout: SourceLayout

    @property
    def values(self) -> list[tuple[Any, ...]]:
        """Good rows without their positions."""
        return [tuple(v for k, v in row.items() if k != "position") for row in self.rows]

    @property
    def codes(self) -> list[str]:
        return [row["error_code"] for row in self.dead]


def pinned(path: Path) -> InputObject:
    info = open_objects(str(path)).stat(str(path))
    assert info is not None
    return InputObject(uri=info.uri, generation=info.generation, size=info.size)


def outcome(path: Path, spec: InputSpec, split_bytes: int = WHOLE) -> Outcome:
    """Reads and validates a file range by range; every range's accounting is checked."""
    objects = open_objects(str(path))
    layout = inspect(spec, pinned(path), objects)
    contract = Contract.of(spec)
    rows: list[dict[str, Any]] = []
    dead: list[dict[str, Any]] = []
    rows_in = 0
    for range_ in layout.ranges(split_bytes):
        for block in read(spec, layout, range_, objects):
            valid, invalid = validate(contract, block.rows)
            assert valid.batch.schema == contract.schema
            valid.batch.validate(full=True)
            good = valid.batch.append_column("position", valid.positions).to_pylist()
            bad = pa.Table.from_batches([block.dead, invalid]).to_pylist()
            assert block.rows_in == len(good) + len(bad)
            rows += good
            dead += bad
            rows_in += block.rows_in
    by_position = lambda row: row["position"]  # noqa: E731
    return Outcome(sorted(rows, key=by_position), sorted(dead, key=by_position), rows_in, layout)


class InputFolder:
    """A folder for one test's files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, data: bytes, name: str = "night.csv") -> Path:
        path = self._folder / name
        path.write_bytes(data)
        # Two writes within one tick of the clock are two generations all the same.
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + len(data)))
        return path

    def outcome(
        self, data: bytes, spec: InputSpec, split_bytes: int = WHOLE, name: str = "night.csv"
    ) -> Outcome:
        return outcome(self.write(data, name), spec, split_bytes)
