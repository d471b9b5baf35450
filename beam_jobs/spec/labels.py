"""Where the truth comes from, once it is known, and how predictions are measured by it."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal
from beam_jobs.spec.fields import ColumnName
from beam_jobs.spec.release import Metric


def _table(name: str) -> str:
    if not re.fullmatch(r"([a-z][a-z0-9:.-]*[.])?\w+[.][\w-]+", name):
        raise Refusal(f"{name!r} names no table", "write dataset.table, or project.dataset.table")
    return name


def _files(glob: str) -> str:
    if "://" in glob or glob.startswith("/") or not glob.endswith((".csv", ".parquet")):
        raise Refusal(
            f"{glob!r} does not name CSV or Parquet files",
            "write names below the environment's buckets.input that end in .csv or .parquet, as "
            "in babyweight/labels/*.csv",
        )
    return glob


def _column(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        raise Refusal(f"{name!r} is not a column name", "use letters, digits and underscores")
    return name


LabelColumn = Annotated[str, AfterValidator(_column)]


class LabelsSpec(Declared):
    """Labels that arrive after the predictions, and the figure that is made of both."""

    table: Annotated[str, AfterValidator(_table)] | None = None
    """A table or view of BigQuery: `dataset.table` of the environment's project, or
    `project.dataset.table`. Either it or `files`."""
    files: Annotated[str, AfterValidator(_files)] | None = None
    """A glob over the environment's input bucket: CSV files with a header, or Parquet."""
    key: LabelColumn | None = None
    """Column that names the row, as the input's key does; left out, it has the same name."""
    label: LabelColumn
    """Column with the truth: numbers; 0 and 1 for auc and log_loss. Null is no label."""
    night: LabelColumn | None = None
    """Column with the score date that a label is of. Left out, a label is of its key on every
    night."""
    metric: Metric
    output: ColumnName | None = None
    """The output that is compared with the label; may be left out where the model has but one."""
    days: Annotated[int, Constrained(ge=1, le=366)] = 30
    """So long after a night its labels may arrive: every day the last so many nights are
    measured."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.files is None):
            both = "both table and files are" if self.table else "neither table nor files is"
            raise Refusal(f"{both} given", "name where the labels are: a table, or files")
        return self
