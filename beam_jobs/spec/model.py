"""Which model scores, and where it runs."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal
from beam_jobs.spec.fields import ColumnName, ValueRange
from beam_jobs.spec.release import ReleaseSpec

MOST_REQUEST_BYTES = 1_500_000
"""Vertex AI takes no larger request for online predictions (1.5 MB)."""


def _endpoint_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,127}", name):
        raise Refusal(
            f"{name!r} is neither an endpoint's id nor its display name",
            "write the number that Vertex AI gave it, or its display name; project and region are "
            "the environment's",
        )
    return name


class OutputColumn(Declared):
    """One column the model returns, and the values a trusted night holds in it."""

    name: ColumnName
    type: Literal["string", "integer", "float", "boolean"] = "float"
    range: ValueRange | None = None


class EndpointSpec(Declared):
    """A Vertex AI endpoint, and how it is asked for predictions."""

    name: Annotated[str, AfterValidator(_endpoint_name)]
    """Its id, or its display name if no other endpoint has the same."""
    region: str | None = None
    """Left out: the environment's."""
    most_instances: Annotated[int, Constrained(ge=1, le=100_000)] = 4_096
    """Rows of one request at most."""
    most_bytes: Annotated[int, Constrained(ge=1_024, le=MOST_REQUEST_BYTES)] = MOST_REQUEST_BYTES
    """Size of one request at most; a row that is larger is a dead letter."""
    concurrency: Annotated[int, Constrained(ge=1, le=256)] = 8
    """Requests that a worker process has under way at most."""
    timeout_seconds: Annotated[float, Constrained(gt=0, le=3_600)] = 30
    """How long one request is waited for."""
    retry_seconds: Annotated[float, Constrained(gt=0, le=6 * 60 * 60)] = 300
    """How long a request is repeated while the endpoint is busy (429, 502, 503, 504) or cannot be
    reached; then the run fails, and in streaming the messages come again."""
    max_attempts: Annotated[int, Constrained(ge=1, le=20)] = 4
    """So often is a single row sent that is answered 500, wrongly or not in time, while the
    endpoint answers others; then it is a dead letter."""


class ModelSpec(Declared):
    """Which model scores."""

    kind: Literal["in_worker", "vertex_endpoint"] = "in_worker"
    """Whether the workers run the model themselves, or ask the endpoint that it is deployed on."""
    source: Literal["gcs", "vertex_registry"] = "gcs"
    """Who says which version an alias names: an object beside the version folders, or the Model
    Registry, where the model bears the service's name. The folders lie in the models bucket either
    way."""
    version: str = "champion"
    """A version folder, or an alias that names one; a night pins what the alias names then."""
    outputs: Annotated[tuple[OutputColumn, ...], Constrained(min_length=1)]
    batch_rows: Annotated[int, Constrained(ge=1, le=1_000_000)] = 65_536
    """Rows per call of the model at most; an endpoint is asked for them in several requests."""
    endpoint: EndpointSpec | None = None
    """Of the kind `vertex_endpoint` only."""
    release: ReleaseSpec | None = None
    """Left out, the service has no DAG that releases versions."""

    @model_validator(mode="after")
    def _an_endpoint_where_one_is_asked(self) -> Self:
        if self.kind == "vertex_endpoint" and self.endpoint is None:
            raise Refusal(
                "model.kind is vertex_endpoint, but model.endpoint is missing",
                "name the endpoint, as in endpoint: {name: babyweight}",
            )
        if self.kind == "in_worker" and self.endpoint is not None:
            raise Refusal(
                "model.endpoint is given, but the model runs in the workers",
                "set model.kind: vertex_endpoint, or drop model.endpoint",
            )
        return self

    @model_validator(mode="after")
    def _a_release_compares_an_output(self) -> Self:
        if self.release is None:
            return self
        names = [output.name for output in self.outputs if output.type != "string"]
        if self.release.output is None and len(self.outputs) > 1:
            raise Refusal(
                "the model has several outputs, and model.release.output is missing",
                f"name one of {', '.join(names)}",
            )
        if self.compared_output not in names:
            raise Refusal(
                f"model.release compares {self.compared_output!r}, which is no output with numbers",
                f"name one of {', '.join(names)} in model.release.output",
            )
        return self

    @property
    def compared_output(self) -> str:
        """The output by which two versions are compared."""
        named = self.release.output if self.release else None
        return named or self.outputs[0].name
