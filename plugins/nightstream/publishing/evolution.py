"""How a table may follow its spec: new nullable columns, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from nightstream.tables import Column, TableSchema


class SchemaConflictError(Exception):
    """A table or view and the spec disagree in a way that only a person can mend."""

    def __init__(self, table: str, conflicts: list[str]) -> None:
        super().__init__(f"{table} does not fit the spec:\n" + "\n".join(conflicts))


def conflicts(
    existing: Iterable[Column], partitioned_by: str | None, wanted: TableSchema
) -> list[str]:
    """Why the table cannot take the spec's rows, each with its remedy; empty if it can."""
    # BigQuery's column names are case-insensitive.
    declared = {column.name.lower(): column for column in wanted.columns}
    found = []
    if partitioned_by != wanted.partitioned_by:
        found.append(
            f"the table is partitioned by {partitioned_by or 'nothing'}, not by the day of "
            f"{wanted.partitioned_by}. Remedy: move it away, and it is created anew"
        )
    for column in existing:
        now = declared.get(column.name.lower())
        if now is None:
            found.append(
                f"column {column.name} ({column.type}) is not in the spec any more. Remedy: keep "
                "it as a nullable passthrough field, or drop the column from the table "
                f"(ALTER TABLE … DROP COLUMN {column.name})"
            )
        elif now.type != column.type:
            found.append(
                f"column {column.name} is {column.type} in the table and {now.type} in the spec. "
                "Remedy: give the field a new name, which adds a column, or change it back"
            )
    return found
