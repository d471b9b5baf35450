"""The plan of one run: exactly what is scored, with exactly which model, under which spec.

`resolve` writes it, the job reads it, audit and publish rely on it. Whatever could change between
two tries of one night is pinned here, and the run key is derived from all of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from beam_jobs.runs.code import code_version
from beam_jobs.spec.service import ServiceSpec
from beam_jobs.spec.sources import CsvFormat, JsonFormat

RUN_KEY_LENGTH = 40
"""Hex digits; label values end at 63 characters."""

LETTERS_PER_GROUP = 20_000
"""Dead letters in a row group of the file that a replay reads; groups are read in parallel."""


class Pinned(BaseModel):
    """An immutable record that crosses a border as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputObject(Pinned):
    """One input file, as it was when the run was resolved."""

    uri: str
    generation: int
    size: int


class EndpointPin(Pinned):
    """The Vertex AI endpoint that a model is deployed on."""

    name: str
    """projects/P/locations/R/endpoints/E."""
    address: str
    """Root URL of the service that answers for it."""
    deployed_model_id: str | None = None
    """What alone may answer a night; None: whatever the endpoint gives the traffic."""


class ModelPin(Pinned):
    """One model version, as it was when the run was resolved."""

    uri: str
    """The version's folder."""
    version: str
    kind: str
    sha256: str
    """Checksum of the artifact, from the version's model.json."""
    endpoint: EndpointPin | None = None
    """Where it is asked; None: it runs in the workers."""


class Interval(Pinned):
    """The data interval of the DAG run; absent for a manual run without one."""

    start: datetime
    end: datetime


class RowsFile(InputObject):
    """A Parquet file that a run starts from, and its rows."""

    rows: int


class ReplayedSource(Pinned):
    """An input object that replayed letters came from; it need not be there any more."""

    object: InputObject
    columns: tuple[str, ...]
    """As the file named them, in the file's order."""


class ReplayOf(Pinned):
    """What a run does that tries dead letters of a night again instead of reading its input."""

    manifest_uri: str
    """Of the publication that it revises: what that scored stays."""
    tried: RowsFile
    """The chosen dead letters, as the dead-letter table has them, in row groups of
    LETTERS_PER_GROUP."""
    tried_by_code: dict[str, int]
    left: RowsFile
    """The night's other dead letters, which stay."""
    predictions: tuple[RowsFile, ...] = ()
    """The night's predictions as they stand in the table, where the files that the manifest names
    are not there any more."""
    format: Annotated[CsvFormat | JsonFormat, Field(discriminator="type")]
    """How the payloads are written."""
    sources: tuple[ReplayedSource, ...]


class RunPlan(Pinned):
    format: Literal[1] = 1
    service: str
    score_date: date
    interval: Interval | None
    inputs: tuple[InputObject, ...]
    model: ModelPin
    spec: ServiceSpec
    code_version: str
    root: str
    """Folder of all runs of the service; this run's folder is `<root>/<run_key>`."""
    replay: ReplayOf | None = None
    """None: the run reads its inputs."""

    @property
    def run_key(self) -> str:
        return derive_run_key(self)


class PlannedInputs(BaseModel):
    """What is read of the plan of another night, which another release may have written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    inputs: tuple[InputObject, ...]


def build_plan(
    spec: ServiceSpec,
    score_date: date,
    interval: Interval | None,
    inputs: Iterable[InputObject],
    model: ModelPin,
    root: str,
    replay: ReplayOf | None = None,
) -> RunPlan:
    """The plan for scoring exactly those objects with that model and the code that runs here.

    replay: dead letters of these objects, to be scored instead of them.
    """
    return RunPlan(
        service=spec.service,
        score_date=score_date,
        interval=interval,
        inputs=tuple(sorted(inputs, key=lambda item: item.uri)),
        model=model,
        spec=spec,
        code_version=code_version(),
        root=root,
        replay=replay,
    )


def derive_run_key(plan: RunPlan) -> str:
    """The identity of a run: equal for equal work, different as soon as anything differs.

    Derived from service, score date, data interval, input objects with their generations, model
    version and checksum, spec and code version; not from where the run's files are put, nor from
    what the spec says of streaming, releases, drift or labels, which no night's output depends on.
    """
    not_its_spec = {
        "streaming": True,
        "drift": True,
        "labels": True,
        "model": {"release", "source"},
    }
    exclude: Any = {"root": True, "format": True, "spec": not_its_spec}
    identity = plan.model_dump(mode="json", exclude=exclude)
    identity["inputs"] = sorted(identity["inputs"], key=lambda item: item["uri"])
    if plan.replay is None:
        del identity["replay"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:RUN_KEY_LENGTH]
