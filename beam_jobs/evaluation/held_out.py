"""The held-out rows: the service's contract, and the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from beam_jobs.contract import Contract, validate
from beam_jobs.contract.types import arrow_schema
from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.objects import Objects
from beam_jobs.reading import inspect, read
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec.fields import Field
from beam_jobs.spec.release import HeldOutSpec
from beam_jobs.spec.service import InputSpec, ServiceSpec


@dataclass(frozen=True)
class HeldOut:
    """n rows that keep the contract and have a label."""

    rows: pa.RecordBatch
    """One typed column per field of the input, and the label's."""
    labels: np.ndarray
    """float64, n."""
    left_out: int
    """Rows that break the contract or have no label."""


def held_out_input(spec: ServiceSpec, held_out: HeldOutSpec) -> InputSpec:
    """The contract of the held-out file: the service's, with the label where that is no field."""
    fields = spec.input.fields
    if held_out.label not in {field.name for field in fields}:
        label = Field(name=held_out.label, type="float", nullable=True, passthrough=True)
        fields = (*fields, label)
    changes = {"fields": fields, "format": held_out.format or spec.input.format}
    return spec.input.model_copy(update=changes)


def read_held_out(
    spec: ServiceSpec, held_out: HeldOutSpec, object_: InputObject, objects: Objects
) -> HeldOut:
    """All rows of the pinned file. Raises InputFileError, ObjectChangedError, EvaluationError."""
    input_ = held_out_input(spec, held_out)
    contract = Contract.of(input_)
    layout = inspect(input_, object_, objects)
    (whole,) = layout.ranges(max(object_.size, 1))
    batches, rows_in = [pa.RecordBatch.from_pylist([], arrow_schema(input_.fields))], 0
    for block in read(input_, layout, whole, objects):
        batches.append(validate(contract, block.rows)[0].batch)
        rows_in += block.rows_in
    valid = pa.concat_batches(batches)
    labelled = valid.filter(valid.column(held_out.label).is_valid())
    if not labelled.num_rows:
        raise EvaluationError(
            f"{object_.uri} holds {rows_in} rows, none of which keeps the contract and has a "
            f"{held_out.label}. Remedy: write a file by model.release.held_out of the spec"
        )
    labels = labelled.column(held_out.label).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return HeldOut(labelled, labels, rows_in - labelled.num_rows)
