"""Messages read as the nightly job reads lines: parsed, held to the contract, named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beam_jobs.contract import Contract, validate
from beam_jobs.contract.casting import cast
from beam_jobs.contract.validation import SelectedPayloads
from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.identity import Identified, NamingFields, identify
from beam_jobs.messages.instants import UTC_INSTANT, from_milliseconds, from_text, from_timestamps
from beam_jobs.messages.records import FoundRequests, find_requests
from beam_jobs.messages.requests import REQUEST_SCHEMA, Requests
from beam_jobs.reading.csv_rows import CsvParser
from beam_jobs.reading.json_rows import JsonParser
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.reader import Parser
from beam_jobs.reading.redaction import RedactedPayloads, Redactor
from beam_jobs.rows import DeadRow, GivenPayloads, RowBlock, ValidRows, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec.service import InputSpec, ServiceSpec
from beam_jobs.spec.sources import CsvFormat
from beam_jobs.spec.streaming import StreamingSpec

_NOWHERE = InputObject(uri="messages", generation=0, size=0)


@dataclass(frozen=True)
class ReadRequests:
    """The requests of some messages: each of them a valid row or a dead one."""

    requests: Requests
    valid: ValidRows
    """Positions are indices into the requests."""
    dead: pa.RecordBatch
    """DEAD_SCHEMA, positions likewise."""


class MessageReader:
    """Reads the messages of one service."""

    def __init__(self, spec: ServiceSpec, streaming: StreamingSpec) -> None:
        """Raises ValueError where the contract cannot be used."""
        self._streaming = streaming
        # A message is held to the very contract of the files, though it may be written otherwise.
        input_ = spec.input.model_copy(update={"format": streaming.payload})
        self._types = {field.name: field.type for field in input_.fields}
        self._contract = Contract.of(input_)
        self._parser = _parser(input_, streaming)
        self._redactor = Redactor.of(input_, tuple(self._types))

    def read(self, messages: MessageBatch, now: datetime) -> ReadRequests:
        """What the messages hold. `now` judges what replayed messages say of their past."""
        found = find_requests(messages.payloads, self._streaming.payload)
        rows, dead = self._parse(found)
        identified = identify(self._streaming, messages, found, self._naming(rows, found), now)
        valid, invalid = validate(self._contract, rows)
        valid, mistaken = _without_mistaken(valid, identified)
        everything_dead = [dead_batch(found.dead), dead, invalid, mistaken]
        read = ReadRequests(identified.requests, valid, pa.concat_batches(everything_dead))
        return self.redacted(read)

    def redacted(self, read: ReadRequests) -> ReadRequests:
        """The same without what the spec redacts in dead letters."""
        redactor = self._redactor
        if redactor is None:
            return read
        requests = read.requests
        return ReadRequests(
            Requests(requests.identity, RedactedPayloads(requests.payloads, redactor)),
            redactor.rows(read.valid),
            redactor.dead(read.dead),
        )

    def no_rows(self) -> ValidRows:
        """Rows of the contract, none of them."""
        nothing = pa.array([], pa.int64())
        payloads = GivenPayloads(pa.array([], pa.binary()))
        return ValidRows(pa.RecordBatch.from_pylist([], self._contract.schema), nothing, payloads)

    def _parse(self, found: FoundRequests) -> tuple[RowBlock, pa.RecordBatch]:
        """The rows, positions being indices of requests, and those that are none."""
        block = self._parser.parse(found.records)
        starts = found.records.starts
        rows = found.index[np.searchsorted(starts, block.rows.positions)]
        dead = found.index[np.searchsorted(starts, block.dead.column("position"))]
        return (
            RowBlock(block.rows.batch, pa.array(rows), SelectedPayloads(found.payloads, rows)),
            _with(block.dead, payload=found.payloads.take(dead), position=pa.array(dead)),
        )

    def _naming(self, rows: RowBlock, found: FoundRequests) -> NamingFields:
        """What the rows say of names and times, also those that break the contract."""
        row_of = np.full(len(found.message), -1)
        row_of[rows.positions.to_numpy()] = np.arange(len(rows.positions))
        spread = pa.array(row_of, mask=row_of < 0)
        names = pa.nulls(len(row_of), pa.string())
        if (field := self._streaming.request_id.field) is not None:
            names = self._typed(rows, field).cast(pa.string()).take(spread)
        times, undated = pa.nulls(len(row_of), UTC_INSTANT), np.zeros(len(row_of), bool)
        if (field := self._streaming.event_time.field) is not None:
            times, undated = self._times(self._typed(rows, field).take(spread))
        return NamingFields(names, times, undated)

    def _typed(self, rows: RowBlock, field: str) -> pa.Array:
        """Null where the value is not of the field's type, which `validate` reports."""
        typed, _ = cast(rows.batch.column(field), self._types[field], self._contract.tokens)
        return typed

    def _times(self, values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        if pa.types.is_string(values.type):
            return from_text(values)
        return from_milliseconds(values) if values.type == pa.int64() else from_timestamps(values)


def read_all(
    reader: MessageReader, messages: MessageBatch, now: datetime
) -> Iterator[ReadRequests]:
    """What the messages hold, whatever they hold.

    A message that the reader fails on would be delivered for ever: it is looked for by halving,
    and is a dead letter.
    """
    try:
        yield reader.read(messages, now)
    except MemoryError:
        raise
    except Exception as error:
        if len(messages) == 1:
            yield reader.redacted(_unreadable(reader, messages, error))
            return
        half = len(messages) // 2
        yield from read_all(reader, messages.part(0, half), now)
        yield from read_all(reader, messages.part(half, len(messages)), now)


def _unreadable(reader: MessageReader, message: MessageBatch, error: Exception) -> ReadRequests:
    message_id, published_at = message.message_ids[0], message.published_at[0]
    who = [f"{message_id}-0"], [message_id], [0], [None], [published_at]
    columns = [
        pa.array(values).cast(field.type) for values, field in zip(who, REQUEST_SCHEMA, strict=True)
    ]
    dead = DeadRow(
        Stage.READ,
        ErrorCode.UNREADABLE,
        f"{type(error).__name__}: {error}"[:1_000],
        message.payloads[0],
        0,
    )
    return ReadRequests(
        Requests(
            pa.RecordBatch.from_arrays(columns, schema=REQUEST_SCHEMA),
            GivenPayloads(pa.array(message.payloads, pa.binary())),
        ),
        reader.no_rows(),
        dead_batch([dead]),
    )


def _parser(input_: InputSpec, streaming: StreamingSpec) -> Parser:
    layout = SourceLayout(_NOWHERE, tuple(field.name for field in input_.fields))
    payload = streaming.payload
    if isinstance(payload, CsvFormat):
        return CsvParser(input_, payload, layout)
    return JsonParser(input_, payload, layout)


def _without_mistaken(valid: ValidRows, identified: Identified) -> tuple[ValidRows, pa.RecordBatch]:
    """The rows whose names and times will do, and the others as dead ones."""
    mistakes = identified.mistakes
    if not mistakes:
        return valid, dead_batch()
    positions = valid.positions.to_numpy()
    wrong = np.isin(positions, list(mistakes))
    bad, good = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    kept = pa.array(good)
    dead = [
        DeadRow(
            Stage.VALIDATE,
            ErrorCode.WRONG_IDENTITY,
            f"{mistakes[position].field}: {mistakes[position].message}",
            payload,
            position,
            mistakes[position].field,
        )
        for position, payload in zip(
            positions[bad].tolist(), valid.payloads.take(bad).to_pylist(), strict=True
        )
    ]
    rows = ValidRows(
        valid.batch.take(kept), valid.positions.take(kept), SelectedPayloads(valid.payloads, good)
    )
    return rows, dead_batch(dead)


def _with(batch: pa.RecordBatch, **columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [columns.get(name, batch.column(name)) for name in batch.schema.names],
        schema=batch.schema,
    )
