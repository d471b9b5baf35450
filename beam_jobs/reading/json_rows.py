"""Newline-delimited JSON: pyarrow's reader for blocks it takes, line by line for the others.

A missing key is null; a key that is no field is passed over, or fails the run, as the spec says.
Numbers and booleans may also be written as strings, in the textual forms of `contract.casting`
(BigQuery writes integers so); a string field takes strings alone. Objects and arrays are no
values. A field written twice in one object makes the line a dead letter. Blanks around an object
are allowed, a line of blanks alone is a record (and no JSON).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from beam_jobs.contract.types import arrow_type
from beam_jobs.reading.errors import InputFileError
from beam_jobs.reading.framing import RecordPayloads, Records
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.screening import compact, screen, take_out
from beam_jobs.rows import DeadRow, ReadBlock, RowBlock, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.spec.fields import FieldType
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import JsonFormat

_TYPED_BY_PARSER = ("integer", "float", "boolean")
_MOST_NESTED = 200


class JsonParser:
    """Parses the records of one file."""

    def __init__(self, input_: InputSpec, format_: JsonFormat, layout: SourceLayout) -> None:
        self._uri = layout.object.uri
        self._extra = format_.extra_columns
        self._types: dict[str, FieldType] = {field.name: field.type for field in input_.fields}
        self._schema = pa.schema(
            [
                (name, arrow_type(type_) if type_ in _TYPED_BY_PARSER else pa.string())
                for name, type_ in self._types.items()
            ]
        )

    def parse(self, records: Records) -> ReadBlock:
        """The block's rows; records that are none are dead. Raises InputFileError."""
        rows_in = records.count
        records = screen(records)
        batch = self._block(records) if _one_object_per_line(records) else None
        if batch is None:
            batch, records = self._line_by_line(records)
        block = RowBlock(
            batch=batch,
            positions=pa.array(records.starts + records.offset),
            payloads=RecordPayloads(records.data, records.starts, records.ends),
        )
        return ReadBlock(block, dead_batch(records.dead), rows_in)

    def _block(self, records: Records) -> pa.RecordBatch | None:
        """The whole block by pyarrow's reader; None where some line is not as it should be."""
        data = compact(records)
        try:
            table = pj.read_json(
                pa.BufferReader(data),
                read_options=pj.ReadOptions(use_threads=False, block_size=data.size + 1),
                parse_options=pj.ParseOptions(
                    explicit_schema=self._schema,
                    unexpected_field_behavior="error" if self._extra == "fail" else "ignore",
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != len(records.starts):
            return None
        return table.select(self._schema.names).combine_chunks().to_batches()[0]

    def _line_by_line(self, records: Records) -> tuple[pa.RecordBatch, Records]:
        """All values as text, for `validate` to cast, and the records without the dead."""
        rows: list[dict[str, str | None]] = []
        dead: dict[int, DeadRow] = {}
        for index in range(len(records.starts)):
            try:
                rows.append(self._row(records.bytes_of(index)))
            except _NoRowError as error:
                dead[index] = DeadRow(
                    Stage.READ,
                    error.code,
                    str(error),
                    records.bytes_of(index),
                    records.position(index),
                    error.field,
                )
        batch = pa.RecordBatch.from_arrays(
            [pa.array([row.get(name) for row in rows], pa.string()) for name in self._types],
            names=list(self._types),
        )
        return batch, take_out(records, dead.values(), np.array(list(dead), np.int64))

    def _row(self, line: bytes) -> dict[str, str | None]:
        pairs = _object(line)
        row: dict[str, str | None] = {}
        for name, value in pairs:
            type_ = self._types.get(name)
            if type_ is None:
                if self._extra == "fail":
                    raise InputFileError(
                        self._uri,
                        f"has a key that is no field of the contract: {name!r}",
                        "declare it in input.fields, or set format.extra_columns to ignore",
                    )
                continue
            if name in row:
                raise _NoRowError(ErrorCode.NOT_JSON, f"the key {name!r} is there twice")
            row[name] = _text(name, type_, value)
        return row


def _one_object_per_line(records: Records) -> bool:
    """Whether pyarrow's reader can be trusted with the block.

    It ends the process on a line `null`, takes several objects from one line, and knows spellings
    of infinity that json does not; the depth of nesting is bounded where json's is.
    """
    data = records.data
    if not len(records.starts) or b"NaN" in data or b"Inf" in data:
        return False
    signs = np.frombuffer(data, np.uint8)
    opened, closed = signs[records.starts] == ord("{"), signs[records.ends - 1] == ord("}")
    nested = data.count(b"{") + data.count(b"[") - len(records.starts)
    return bool(opened.all() and closed.all()) and nested <= _MOST_NESTED


class _NoRowError(Exception):
    """A line that gives no row."""

    def __init__(self, code: ErrorCode, message: str, field: str | None = None) -> None:
        self.code = code
        self.field = field
        super().__init__(message)


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object, keys that are there twice included."""


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_Number
)


def _object(line: bytes) -> _Pairs:
    try:
        value = _DECODER.decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise _NoRowError(ErrorCode.NOT_JSON, f"the record is not JSON: {error}") from error
    if not isinstance(value, _Pairs):
        raise _NoRowError(ErrorCode.NOT_AN_OBJECT, "the record is JSON, but not an object")
    return value


def _text(name: str, type_: FieldType, value: Any) -> str | None:
    """The value as text, where its kind fits the field's type."""
    if value is None:
        return None
    if isinstance(value, bool) and type_ == "boolean":
        return "true" if value else "false"
    written = isinstance(value, str) and not isinstance(value, _Number)
    if written or (isinstance(value, _Number) and type_ in ("integer", "float")):
        if not _has_half_a_pair(value):
            return str(value)
        raise _NoRowError(ErrorCode.NOT_JSON, f"{name}: holds half a surrogate pair", name)
    article = "an" if type_ == "integer" else "a"
    raise _NoRowError(
        ErrorCode.WRONG_TYPE, f"{name}: {_kind(value)} is not {article} {type_}", name
    )


def _has_half_a_pair(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _kind(value: Any) -> str:
    if isinstance(value, _Number):
        return f"the number {value[:80]}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "an object" if isinstance(value, _Pairs) else "an array"
