"""Takes the values of some fields out of the payloads of dead letters, and out of their messages.

What cannot be taken apart into fields goes as a whole: privacy comes before replaying.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from beam_jobs.rows import DeadRow, Indices, Payloads, ValidRows, dead_batch
from beam_jobs.runs.dead_letter import REDACTED, ErrorCode, Stage
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat, Format

_SAID = ("stage", "error_code", "error_field", "error_message")


@dataclass(frozen=True)
class Redactor:
    """Redacts the letters of one source."""

    fields: frozenset[str]
    model_sees: frozenset[str]
    """Those of the fields that are fed to the model."""
    format: Format
    """Payloads of Parquet rows are JSON."""
    columns: tuple[str, ...]
    """As the source names them; of CSV."""

    @classmethod
    def of(cls, input_: InputSpec, columns: Sequence[str]) -> Self | None:
        """None where nothing is to be redacted."""
        if not input_.redact:
            return None
        fields = frozenset(input_.redact)
        features = fields & {field.name for field in input_.features}
        return cls(fields, features, input_.format, tuple(columns))

    def payload(self, payload: bytes) -> bytes:
        """The payload with a mark in place of each of the fields' values."""
        try:
            is_csv = isinstance(self.format, CsvFormat)
            return (self._csv(payload) if is_csv else self._json(payload)).encode()
        except (ValueError, csv.Error, RecursionError):
            return _whole(payload)

    def dead(self, dead: pa.RecordBatch) -> pa.RecordBatch:
        """The letters (DEAD_SCHEMA) without the fields' values."""
        return dead_batch(self._letter(row) for row in dead.to_pylist())

    def messages(self, dead: pa.RecordBatch) -> pa.RecordBatch:
        """The letters (DEAD_SCHEMA) with messages that do not quote the fields, whoever wrote
        them."""
        columns = [dead.column(name).to_pylist() for name in _SAID]
        said = [
            self.message(Stage(stage), ErrorCode(code), field, message)
            for stage, code, field, message in zip(*columns, strict=True)
        ]
        index = dead.schema.get_field_index("error_message")
        return dead.set_column(index, dead.schema.field(index), pa.array(said, pa.string()))

    def rows(self, rows: ValidRows) -> ValidRows:
        """The rows, whose payloads are redacted when they are asked for."""
        return ValidRows(rows.batch, rows.positions, RedactedPayloads(rows.payloads, self))

    def message(self, stage: Stage, code: ErrorCode, field: str | None, message: str) -> str:
        """The message, or one that quotes nothing where it might quote one of the fields."""
        if field in self.fields:
            return f"{field}: {REDACTED}"
        quotes_anything = code is ErrorCode.UNREADABLE
        by_model = stage is Stage.PREDICT and bool(self.model_sees)
        if quotes_anything or by_model or (stage is Stage.WRITE and field is None):
            return f"{REDACTED}: the message might quote {', '.join(sorted(self.fields))}"
        return message

    def _letter(self, row: dict[str, Any]) -> DeadRow:
        stage, code = Stage(row["stage"]), ErrorCode(row["error_code"])
        field = row["error_field"]
        # A record that could not be told from its neighbours has no fields.
        whole = stage is Stage.READ and isinstance(self.format, CsvFormat)
        payload = _whole(row["payload"]) if whole else self.payload(row["payload"])
        message = self.message(stage, code, field, row["error_message"])
        return DeadRow(stage, code, message, payload, row["position"], field)

    def _csv(self, payload: bytes) -> str:
        assert isinstance(self.format, CsvFormat)
        how: dict[str, Any] = {"delimiter": self.format.delimiter, "strict": True}
        if self.format.quote is None:
            how["quoting"] = csv.QUOTE_NONE
        else:
            how["quotechar"] = self.format.quote
        rows = list(csv.reader(io.StringIO(payload.decode(), newline=""), **how))
        if len(rows) != 1 or len(rows[0]) != len(self.columns):
            raise ValueError("not the columns of the source")
        kept = [
            REDACTED if name in self.fields else value
            for name, value in zip(self.columns, rows[0], strict=True)
        ]
        text = io.StringIO()
        csv.writer(text, lineterminator="", **how).writerow(kept)
        return text.getvalue()

    def _json(self, payload: bytes) -> str:
        row = json.loads(payload.decode(), object_pairs_hook=_once)
        if not isinstance(row, dict):
            raise ValueError("no object")
        return json.dumps({n: REDACTED if n in self.fields else v for n, v in row.items()})


@dataclass(frozen=True)
class RedactedPayloads:
    """Payloads that are redacted when they are asked for."""

    payloads: Payloads
    redactor: Redactor

    def take(self, indices: Indices) -> pa.Array:
        """The payloads of those rows."""
        taken = self.payloads.take(indices).to_pylist()
        return pa.array(map(self.redactor.payload, taken), pa.binary())


def _whole(payload: bytes) -> bytes:
    """What may be known of a payload that cannot be taken apart."""
    digest = hashlib.sha256(payload).hexdigest()
    return f"{REDACTED} sha256={digest} bytes={len(payload)}".encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key is there twice")
    return row
