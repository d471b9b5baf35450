"""From a night's dead letters to rows that keep the contract: what a replay reads."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_jobs.contract import Contract
from beam_jobs.objects import SeekableObject, open_objects
from beam_jobs.reading.letters import LetterReader
from beam_jobs.reading.redaction import Redactor
from beam_jobs.runs.code import require_code
from beam_jobs.runs.plan import LETTERS_PER_GROUP, ReplayedSource, ReplayOf, RunPlan
from beam_jobs.transforms.elements import SourceRange, ValidBatch, slices
from beam_jobs.transforms.read import validated


class ReadLetters(beam.DoFn):
    """Number of a row group of the letters' file → ValidBatch, of one input object each.

    A batch is of its object as a whole: a revision counts by object.
    """

    def __init__(self, plan: RunPlan, replay: ReplayOf) -> None:
        self._spec = plan.spec
        self._replay = replay
        self._code_version = plan.code_version

    def setup(self) -> None:
        require_code(self._code_version)
        self._contract = Contract.of(self._spec.input)
        self._reader = LetterReader(self._spec.input, self._replay.format)

    def process(self, group: int) -> Iterator[ValidBatch[SourceRange]]:
        letters = self._letters(group)
        for source in self._replay.sources:
            own = letters.filter(pc.equal(letters.column("source_uri"), source.object.uri))
            if own.num_rows:
                yield from slices(self._validated(source, own), self._spec.model.batch_rows)

    def _letters(self, group: int) -> pa.Table:
        pin = self._replay.tried
        file = SeekableObject(open_objects(pin.uri), pin.uri, pin.size, pin.generation)
        with pq.ParquetFile(pa.PythonFile(file, mode="r")) as parquet:
            return parquet.read_row_group(group, ["payload", "source_uri", "source_position"])

    def _validated(self, source: ReplayedSource, letters: pa.Table) -> ValidBatch[SourceRange]:
        payloads = letters.column("payload").combine_chunks()
        positions = letters.column("source_position").combine_chunks()
        block = self._reader.read(source, payloads, positions)
        whole = SourceRange(source.object, 0, source.object.size)
        redactor = Redactor.of(self._reader.input, source.columns)
        return validated(whole, block, self._contract, redactor)


def letter_groups(replay: ReplayOf) -> range:
    """The numbers of the row groups."""
    return range(-(-replay.tried.rows // LETTERS_PER_GROUP))
