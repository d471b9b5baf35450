"""What a finished job says it did. Audit and publish read this, never a wildcard."""

from __future__ import annotations

from typing import Literal

from beam_jobs.runs.plan import InputObject, Pinned


class OutputFile(Pinned):
    """One Parquet file that the job committed."""

    uri: str
    rows: int
    size: int


class RangeCount(Pinned):
    """What happened to the rows of one byte range of an input object.

    `rows_in` is counted on the bytes, independently of the parser; the ranges of an object tile it
    exactly, from 0 to its size. A Parquet file is one range, its rows counted from its footer.
    """

    start: int
    end: int
    """Exclusive."""
    rows_in: int
    rows_scored: int
    rows_dead: int


class SourceCount(Pinned):
    """What happened to one input object."""

    object: InputObject
    ranges: tuple[RangeCount, ...]
    extra_columns: tuple[str, ...] = ()
    """Columns of the file that the contract does not name; they were ignored."""
    columns: tuple[str, ...] = ()
    """All columns, as the file names them; what its dead letters are read by when they are
    replayed."""


class Histogram(Pinned):
    """How the values of one column are distributed, over the edges of the model's reference.

    Numeric: `edges` has n+1 ascending values, `counts` n+2: below the first edge, the n bins
    (each closed below, the last closed on both sides), above the last edge.
    Categorical: `edges` is empty, `values` maps each reference category to its count, and `other`
    counts the rest.
    """

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    values: dict[str, int] = {}
    other: int = 0
    nulls: int = 0
    non_finite: int = 0
    out_of_range: int = 0
    """Predictions outside the output's declared range."""
    total: int = 0


class RunSummary(Pinned):
    """The whole night in a few numbers."""

    dead_by_code: dict[str, int]
    features: dict[str, Histogram]
    predictions: dict[str, Histogram]


class RunManifest(Pinned):
    format: Literal[1] = 1
    run_key: str
    attempt: int
    job_name: str
    model_version: str
    rows_in: int
    rows_scored: int
    rows_dead: int
    sources: tuple[SourceCount, ...]
    predictions: tuple[OutputFile, ...]
    dead_letters: tuple[OutputFile, ...]
    summary: RunSummary
    finished_at: str
    """RFC 3339, UTC."""
    scored_by: dict[str, int] = {}
    """Of a revision: rows by the model version that scored them. Empty: all by `model_version`."""

    @property
    def models(self) -> str:
        """The versions that scored the night's rows, the one with the most rows first."""
        versions = sorted(self.scored_by, key=lambda name: (-self.scored_by[name], name))
        return "+".join(versions) or self.model_version
