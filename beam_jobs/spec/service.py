"""The spec of one scoring service."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter
from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Minutes, Refusal
from beam_jobs.spec.drift import DriftSpec
from beam_jobs.spec.fields import Field
from beam_jobs.spec.labels import LabelsSpec
from beam_jobs.spec.model import ModelSpec
from beam_jobs.spec.sources import CompleteRule, Format, MarkerRule
from beam_jobs.spec.streaming import StreamingSpec

_LABEL_TYPES = ("float", "integer", "boolean")


def is_service_name(name: str) -> bool:
    """Whether a service may have that name."""
    return re.fullmatch(r"[a-z]([a-z0-9_]{0,38}[a-z0-9])?", name) is not None


def _service_name(name: str) -> str:
    if not is_service_name(name):
        raise Refusal(
            f"{name!r} is not a service name",
            "use up to 40 lower-case letters, digits and underscores, starting with a letter: "
            "the name becomes part of DAG ids, tables and job names",
        )
    return name


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones
        raise Refusal(
            f"{name!r} is not a timezone", "write an IANA name, such as Europe/Zurich or UTC"
        ) from error
    return name


def _once_a_day(cron: str) -> str:
    """A cron expression that fires at most once on any local day.

    The score date is the day on which the data interval starts, so two intervals that start on
    one day would publish into one partition.
    """
    parts = cron.split()
    if len(parts) != 5:
        raise Refusal(
            f"{cron!r} is not a cron expression of five fields",
            'write minute hour day month weekday, such as "0 2 * * *"',
        )
    minute, hour = parts[:2]
    if not (minute.isdigit() and int(minute) < 60 and hour.isdigit() and int(hour) < 24):
        raise Refusal(
            f"{cron!r} may fire more than once a day, which gives two intervals one score date",
            "write one minute (0-59) and one hour (0-23) as plain numbers",
        )
    try:
        croniter(cron).get_next()
    except CroniterError as error:
        raise Refusal(
            f"{cron!r} never fires: {error}",
            "write day (1-31), month (1-12) and weekday (0-7, or sun-sat) that there are, or *",
        ) from error
    return cron


class InputSpec(Declared):
    """Where the requests of a night lie and what they must look like."""

    path: str
    """Folder in the environment's input bucket; `{score_date}` stands for the night (ISO)."""
    files: str = "**"
    """Glob of the files below the folder that are read."""
    format: Format
    complete: CompleteRule = MarkerRule(rule="marker")
    when_missing: Literal["fail", "skip", "empty"] = "fail"
    """A night without files fails, is skipped, or publishes an empty partition."""
    wait_minutes: Minutes = 360
    """How long a night's files are waited for."""
    key: str
    """Field that names the row; need not be unique."""
    fields: Annotated[tuple[Field, ...], Constrained(min_length=1)]
    redact: tuple[str, ...] = ()
    """Fields whose values are taken out of dead letters before they are written, of nights and of
    requests. A redacted letter cannot be replayed; its night can be run again."""

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        names = [field.name for field in self.fields]
        folded = [name.lower() for name in names]
        twice = [name for name in names if folded.count(name.lower()) > 1]
        if twice:
            raise Refusal(
                f"field {twice[-1]!r} is declared twice (BigQuery takes no notice of case)",
                "drop or rename one of the two",
            )
        if self.key not in names:
            raise Refusal(f"key {self.key!r} is no field", f"name one of {', '.join(names)}")
        unknown = [name for name in self.redact if name not in names]
        if unknown:
            raise Refusal(
                f"redact names {unknown[0]!r}, which is no field",
                f"name some of {', '.join(names)}",
            )
        if "{score_date}" not in self.path:
            raise Refusal(
                "every night would read the same folder: the path lacks {score_date}",
                "put {score_date} into the path, as in requests/{score_date}/",
            )
        return self

    @property
    def features(self) -> tuple[Field, ...]:
        """The fields fed to the model."""
        return tuple(field for field in self.fields if not field.passthrough)

    def folder(self, score_date: date) -> str:
        """The night's folder inside the input bucket, ending in a slash."""
        return self.path.replace("{score_date}", score_date.isoformat()).strip("/") + "/"


class ScheduleSpec(Declared):
    """When a night runs. The data interval is the day before the cron fires."""

    cron: Annotated[str, AfterValidator(_once_a_day)]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    start: date
    deadline_minutes: Minutes = 240
    """A night not published so long after its run was queued raises an alert."""
    max_active_runs: Annotated[int, Constrained(ge=1, le=64)] = 4
    retries: Annotated[int, Constrained(ge=0, le=20)] = 2


class AuditSpec(Declared):
    """What must hold before a night is published."""

    max_dead_ratio: Annotated[float, Constrained(ge=0, le=1)] = 0.01
    min_rows: Annotated[int, Constrained(ge=0)] = 0
    max_null_ratio: Annotated[float, Constrained(ge=0, le=1)] = 0.0
    """Share of predictions that may be null or not finite."""
    max_out_of_range_ratio: Annotated[float, Constrained(ge=0, le=1)] = 0.0
    """Share of predictions that may lie outside the output's range."""


class JobSpec(Declared):
    """The size of the batch job; the environment says where and as whom it runs."""

    workers: Annotated[int, Constrained(ge=1, le=1_000)] = 1
    max_workers: Annotated[int, Constrained(ge=1, le=4_000)] = 10
    machine_type: str | None = None
    split_bytes: Annotated[int, Constrained(ge=64 * 1024)] = 64 * 1024 * 1024
    """Size of the byte ranges into which large files are split."""


class ServiceSpec(Declared):
    """Everything a team declares of one scoring service."""

    service: Annotated[str, AfterValidator(_service_name)]
    description: str = ""
    owner: Annotated[str, Constrained(min_length=1, max_length=100)] = "data"
    input: InputSpec
    model: ModelSpec
    schedule: ScheduleSpec
    audit: AuditSpec = AuditSpec()
    drift: DriftSpec = DriftSpec()
    labels: LabelsSpec | None = None
    """Left out, the service has no DAG that measures its predictions by labels."""
    job: JobSpec = JobSpec()
    streaming: StreamingSpec | None = None
    """Left out, the service has no streaming job."""

    @model_validator(mode="after")
    def _outputs_are_new_columns(self) -> Self:
        fields = {field.name.lower() for field in self.input.fields}
        for output in self.model.outputs:
            if output.name.lower() in fields:
                raise Refusal(
                    f"model.outputs names {output.name!r}, which is an input field",
                    "rename the output, as in predicted_" + output.name,
                )
        return self

    @model_validator(mode="after")
    def _a_label_is_not_known_beforehand(self) -> Self:
        if self.model.release is None:
            return self
        label = self.model.release.held_out.label
        field = next((field for field in self.input.fields if field.name == label), None)
        if field is not None and (not field.passthrough or field.type not in _LABEL_TYPES):
            kind = "fed to the model" if not field.passthrough else f"of type {field.type}"
            raise Refusal(
                f"model.release.held_out.label {label!r} is {kind}",
                "name a passthrough field with numbers, or a column that is no field",
            )
        return self

    @model_validator(mode="after")
    def _labels_measure_an_output(self) -> Self:
        if self.labels is None:
            return self
        names = [output.name for output in self.model.outputs if output.type != "string"]
        if self.labels.output is None and len(self.model.outputs) > 1:
            raise Refusal(
                "the model has several outputs, and labels.output is missing",
                f"name one of {', '.join(names)}",
            )
        if (self.labels.output or self.model.outputs[0].name) not in names:
            raise Refusal(
                "labels measure an output that is none, or has no numbers",
                f"name one of {', '.join(names)} in labels.output",
            )
        return self

    @model_validator(mode="after")
    def _drift_is_of_measured_columns(self) -> Self:
        measured = [*(f.name for f in self.input.features), *(o.name for o in self.model.outputs)]
        for name in self.drift.columns:
            if name not in measured:
                kept = any(field.name == name for field in self.input.fields)
                why = "is only passed through" if kept else "is neither a feature nor an output"
                raise Refusal(
                    f"drift.columns names {name!r}, which {why}",
                    f"drop it, or name one of {', '.join(measured)}",
                )
        return self

    @model_validator(mode="after")
    def _requests_are_named_by_fields(self) -> Self:
        if self.streaming is None:
            return self
        types = {field.name: field.type for field in self.input.fields}
        found = {
            "request_id": (self.streaming.request_id, ("string", "integer")),
            "event_time": (self.streaming.event_time, ("timestamp", "string", "integer")),
        }
        for key, (place, allowed) in found.items():
            if key == "request_id" and place.field in self.input.redact:
                raise Refusal(
                    f"streaming.request_id.field {place.field!r} is redacted, and names requests "
                    "in every table",
                    "take it out of input.redact, or name requests by an attribute",
                )
            if place.field is not None and types.get(place.field) not in allowed:
                raise Refusal(
                    f"streaming.{key}.field {place.field!r} is no field of type "
                    f"{' or '.join(allowed)}",
                    f"name one of input.fields of such a type, or use streaming.{key}.attribute",
                )
        return self
