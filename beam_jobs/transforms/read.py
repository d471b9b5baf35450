"""From the night's objects to rows that keep the contract."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa

from beam_jobs.contract import Contract, validate
from beam_jobs.contract.types import arrow_schema
from beam_jobs.objects import open_objects
from beam_jobs.reading import ByteRange, SourceLayout, inspect, read
from beam_jobs.reading.redaction import Redactor
from beam_jobs.rows import GivenPayloads, ReadBlock, RowBlock, dead_batch
from beam_jobs.runs.code import require_code
from beam_jobs.runs.plan import InputObject, RunPlan
from beam_jobs.spec.service import InputSpec, ServiceSpec
from beam_jobs.transforms.elements import SourceRange, ValidBatch, slices
from beam_jobs.transforms.prefetch import prefetched


class InspectInputs(beam.DoFn):
    """InputObject → SourceLayout, ahead of everything else.

    Fails the job on a file that cannot be read as a whole, and where the workers' image holds
    other code than the run names.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._input = plan.spec.input
        self._code_version = plan.code_version

    def setup(self) -> None:
        require_code(self._code_version)

    def process(self, source: InputObject) -> Iterator[SourceLayout]:
        yield inspect(self._input, source, open_objects(source.uri))


class ReadRanges(beam.DoFn):
    """(SourceLayout, ByteRange) → ValidBatch, of at most as many rows as the model takes at once.

    Reading, parsing and validation go on in a thread beside the model.
    """

    def __init__(self, spec: ServiceSpec) -> None:
        self._input = spec.input
        self._batch_rows = spec.model.batch_rows

    def setup(self) -> None:
        self._contract = Contract.of(self._input)

    def process(self, element: tuple[SourceLayout, ByteRange]) -> Iterator[ValidBatch[SourceRange]]:
        layout, part = element
        source = SourceRange(layout.object, part.start, part.end)
        redactor = Redactor.of(self._input, layout.columns)
        # A range without rows is accounted for too.
        yield validated(source, no_rows(self._input), self._contract, redactor)
        blocks = read(self._input, layout, part, open_objects(layout.object.uri))
        for batch in prefetched(
            validated(source, block, self._contract, redactor) for block in blocks
        ):
            yield from slices(batch, self._batch_rows)


def validated(
    source: SourceRange, block: ReadBlock, contract: Contract, redactor: Redactor | None
) -> ValidBatch[SourceRange]:
    """A block's rows that keep the contract, and the others; redacted, what of them is written as
    dead letters."""
    valid, invalid = validate(contract, block.rows)
    dead = pa.concat_batches([block.dead, invalid])
    if redactor is not None:
        valid, dead = redactor.rows(valid), redactor.dead(dead)
    return ValidBatch(source, valid, dead, block.rows_in)


def no_rows(input_: InputSpec) -> ReadBlock:
    """A block in which nothing was read."""
    rows = RowBlock(
        batch=pa.RecordBatch.from_pylist([], arrow_schema(input_.fields)),
        positions=pa.array([], pa.int64()),
        payloads=GivenPayloads(pa.array([], pa.binary())),
    )
    return ReadBlock(rows, dead_batch(), rows_in=0)
