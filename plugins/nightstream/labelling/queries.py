"""The join of predictions and labels, and the metrics over it, as GoogleSQL. Pure.

The rows stay in BigQuery, however many there are. Parameters of every query: @first and @last, the
score dates, both inclusive. The metrics are those of `beam_jobs.evaluation.metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from beam_jobs.spec.release import Metric
from nightstream.tables import Column, TableId, TableSchema

SHOWN = 10
"""Keys that an error names."""

_EPSILON = 2.220446049250313e-16
"""Log loss takes no probability for nearer to 0 or 1: as scikit-learn."""

_GROUP = "score_date, model_version, source"


@dataclass(frozen=True)
class Labels:
    """A table that can be joined."""

    table: TableId
    key: str
    label: str
    """SQL of a FLOAT64."""
    night: str | None


@dataclass(frozen=True)
class Predictions:
    """A table or view of predictions."""

    table: TableId
    source: str
    """batch or streaming."""
    date: str
    """Column that names the night."""


@dataclass(frozen=True)
class Comparison:
    """What is compared with what."""

    predictions: tuple[Predictions, ...]
    labels: Labels
    key: str
    output: Column

    @property
    def joined(self) -> str:
        """A row for each prediction, with its label where there is one that can be used.

        Labels that contradict each other are found by `contradictions`.
        """
        every = "\nUNION ALL\n".join(map(self._predicted, self.predictions))
        night = "" if self.labels.night is None else " AND label_night = score_date"
        return f"""\
labels AS (
{self._by_key()}
),
predicted AS (
{every}
),
joined AS (
SELECT {_GROUP}, key, predicted, lowest, highest, times,
  lowest IS NOT NULL AND predicted IS NOT NULL
    AND NOT IS_NAN(predicted) AND NOT IS_INF(predicted) AS usable
FROM predicted LEFT JOIN labels ON label_key = key{night}
)"""

    def _by_key(self) -> str:
        labels = self.labels
        night = "" if labels.night is None else f", `{labels.night}` AS label_night"
        within = "TRUE" if labels.night is None else f"`{labels.night}` BETWEEN @first AND @last"
        by = "label_key" if labels.night is None else "label_key, label_night"
        return f"""\
SELECT {by}, MIN(label) AS lowest, MAX(label) AS highest, COUNT(*) AS times
FROM (
  SELECT `{labels.key}` AS label_key{night}, {labels.label} AS label
  FROM `{labels.table}` WHERE {within}
)
WHERE label IS NOT NULL AND NOT IS_NAN(label) AND NOT IS_INF(label)
GROUP BY {by}"""

    def _predicted(self, part: Predictions) -> str:
        return f"""\
SELECT {part.date} AS score_date, model_version, '{part.source}' AS source, `{self.key}` AS key,
  {number_sql(self.output)} AS predicted
FROM `{part.table}` WHERE {part.date} BETWEEN @first AND @last"""


def contradictions_query(compared: Comparison) -> str:
    """Some keys of predictions that have different labels: score_date, key, lowest, highest."""
    return (
        f"WITH {compared.joined}\nSELECT DISTINCT score_date, key, lowest, highest FROM joined "
        f"WHERE lowest < highest ORDER BY score_date, key LIMIT {SHOWN}"
    )


def impossible_query(compared: Comparison, metric: Metric) -> str | None:
    """Some rows that the metric is not defined for: score_date, key, lowest (the label),
    predicted; None for a metric of any numbers."""
    wrong = {
        "auc": "lowest NOT IN (0, 1)",
        "log_loss": "(lowest NOT IN (0, 1) OR predicted < 0 OR predicted > 1)",
    }.get(metric)
    if wrong is None:
        return None
    return (
        f"WITH {compared.joined}\nSELECT DISTINCT score_date, key, lowest, predicted FROM joined "
        f"WHERE usable AND {wrong} ORDER BY score_date, key LIMIT {SHOWN}"
    )


def quality_query(compared: Comparison, metric: Metric) -> str:
    """A row for each night, version and source: its counts and the metric's value."""
    return f"""\
WITH {compared.joined},
weighed AS (
SELECT *, lowest AS label{_WEIGHTS.get(metric, "")} FROM joined
)
SELECT {_GROUP}, {_VALUES[metric]} AS value, COUNT(*) AS predictions,
  COUNTIF(usable) AS labelled, COUNTIF(NOT usable) AS unlabelled,
  COUNTIF(usable AND times > 1) AS repeated_labels
FROM weighed GROUP BY {_GROUP}"""


def merge_statement(table: TableId, schema: TableSchema, measured: str) -> str:
    """Inserts what was measured, and replaces rows that say something else.

    Parameters besides those of `measured`: @service, @output, @metric. Rows that say the same stay
    as they are, so that measuring again changes nothing.
    """
    names = [column.name for column in schema.columns]
    compared = [name for name in names if name not in (*_KEY, "measured_at")]
    same = " AND ".join(f"kept.{name} = this.{name}" for name in _KEY)
    differs = " OR ".join(f"kept.{name} IS DISTINCT FROM this.{name}" for name in compared)
    changes = ", ".join(f"{name} = this.{name}" for name in (*compared, "measured_at"))
    return f"""\
MERGE `{table}` AS kept USING (
SELECT @service AS service, @output AS output, @metric AS metric,
  CURRENT_TIMESTAMP() AS measured_at, measured.*
FROM ({measured}) AS measured
) AS this ON {same}
WHEN MATCHED AND ({differs}) THEN UPDATE SET {changes}
WHEN NOT MATCHED THEN INSERT ({", ".join(names)})
VALUES ({", ".join(f"this.{name}" for name in names)})"""


_KEY = ("service", "score_date", "model_version", "source", "output", "metric")

_ZEROS = "SUM(IF(usable AND lowest = 0, 1, 0)) OVER (PARTITION BY " + _GROUP
_BY_SCORE = f"{_ZEROS} ORDER BY predicted RANGE BETWEEN"
_WEIGHTS: dict[Metric, str] = {
    # How many zeros stand below a row, those with the same score counted half: summed over the
    # ones, per pair, that is the area under the curve.
    "auc": f""",
  ({_BY_SCORE} UNBOUNDED PRECEDING AND CURRENT ROW)
    + {_ZEROS})
    - {_BY_SCORE} CURRENT ROW AND UNBOUNDED FOLLOWING)) / 2 AS below""",
    "log_loss": f",\n  LEAST(GREATEST(predicted, {_EPSILON!r}), 1 - {_EPSILON!r}) AS likely",
}
_VALUES: dict[Metric, str] = {
    "rmse": "SQRT(AVG(IF(usable, (predicted - label) * (predicted - label), NULL)))",
    "mae": "AVG(IF(usable, ABS(predicted - label), NULL))",
    "auc": "SAFE_DIVIDE(SUM(IF(usable AND label = 1, below, 0)), "
    "COUNTIF(usable AND label = 1) * COUNTIF(usable AND label = 0))",
    "log_loss": "-AVG(IF(usable, IF(label = 1, LN(likely), LN(1 - likely)), NULL))",
}


def number_sql(column: Column) -> str | None:
    """The column as a FLOAT64; None where its type holds no numbers."""
    if column.type in ("BOOLEAN", "BOOL"):
        return f"CAST(CAST(`{column.name}` AS INT64) AS FLOAT64)"
    if column.type in ("INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"):
        return f"CAST(`{column.name}` AS FLOAT64)"
    return None


def joinable(found: Iterable[Column], name: str) -> Column | None:
    """The column of that name, which BigQuery takes without regard to case."""
    return next((column for column in found if column.name.lower() == name.lower()), None)
