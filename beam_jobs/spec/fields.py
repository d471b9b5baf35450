"""The fields of an input contract."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal

FieldType = Literal["string", "integer", "float", "boolean", "timestamp", "date"]

RESERVED_COLUMNS = frozenset(
    {
        "score_date",
        "model_version",
        "deployed_model_id",
        "scored_at",
        "run_key",
        "source_uri",
        "source_position",
        "request_id",
        "message_id",
        "event_time",
        "published_at",
        "publish_date",
        "revision",
    }
)
"""Columns that Nightstream adds itself; no field and no output may take their names."""


def column_name(name: str) -> str:
    """A legal BigQuery column name that Nightstream does not use itself."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        raise Refusal(
            f"{name!r} is not a column name",
            "use letters, digits and underscores, not starting with a digit (BigQuery's rule)",
        )
    if name.lower() in RESERVED_COLUMNS:
        raise Refusal(
            f"{name!r} is a column that Nightstream adds itself",
            f"rename it; reserved are {', '.join(sorted(RESERVED_COLUMNS))}",
        )
    return name


ColumnName = Annotated[str, AfterValidator(column_name)]

Scalar = bool | int | float | str


def _ascending(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = ends
    if low is not None and high is not None and low > high:
        raise Refusal(f"the range is empty: {low} is above {high}", "swap the two ends")
    return ends


_End = Annotated[float, Constrained(allow_inf_nan=False)]
ValueRange = Annotated[tuple[_End | None, _End | None], AfterValidator(_ascending)]


class Field(Declared):
    """One field of the input: its type, and what values it may take.

    A field is *required* unless it is nullable or has a default; a file without a required
    column fails the run, a row without a required value becomes a dead letter.
    """

    name: ColumnName
    type: FieldType
    nullable: bool = False
    default: Scalar | None = None
    """Takes the place of a missing or null value."""
    allowed: tuple[Scalar, ...] | None = None
    range: ValueRange | None = None
    """Lowest and highest value, both inclusive; null leaves an end open."""
    pattern: str | None = None
    """RE2 expression that the whole string must match."""
    passthrough: bool = False
    """Kept in the output, not fed to the model."""
    description: str = ""

    @property
    def required(self) -> bool:
        return not self.nullable and self.default is None

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Self:
        numeric = self.type in ("integer", "float")
        if self.range is not None and not numeric:
            raise Refusal(
                f"range is for integer and float fields, {self.name!r} is a {self.type}",
                "drop the range, or use allowed or pattern",
            )
        if self.pattern is not None and self.type != "string":
            raise Refusal(
                f"pattern is for string fields, {self.name!r} is a {self.type}", "drop the pattern"
            )
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise Refusal(
                    f"pattern of {self.name!r} is not a regular expression: {error}",
                    "mend the expression (RE2 syntax: no look-around, no back-references)",
                ) from error
            if beyond_re2 := _BEYOND_RE2.search(self.pattern):
                raise Refusal(
                    f"pattern of {self.name!r} uses {beyond_re2[0]!r}, which RE2 does not know",
                    "do without look-around, back-references and atomic groups",
                )
        for value in (self.default, *(self.allowed or ())):
            if value is not None and not _is_of_type(value, self.type):
                raise Refusal(
                    f"{value!r} is not a {self.type}, which {self.name!r} is",
                    f"write a {self.type} value (strings quoted, dates and timestamps in ISO form)",
                )
        return self


_BEYOND_RE2 = re.compile(r"\(\?(?:<?[=!]|P=|>|\()|\\[1-9]")


def _is_of_type(value: Scalar, type_: FieldType) -> bool:
    match type_:
        case "date" | "timestamp":
            return isinstance(value, str) and _is_iso(value, type_)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _is_iso(text: str, type_: FieldType) -> bool:
    form = r"\d{4}-\d\d-\d\d" + (r"([T ]\d\d:\d\d.*)?" if type_ == "timestamp" else "")
    try:
        return re.fullmatch(form, text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False
