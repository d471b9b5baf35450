"""How a table may follow its spec."""

from __future__ import annotations

from nightstream.publishing.evolution import conflicts
from nightstream.tables import Column, TableSchema

DATE = Column("score_date", "DATE")
WEEKS = Column("weeks", "FLOAT")


def nightly(*columns: Column) -> TableSchema:
    return TableSchema(columns, partitioned_by="score_date")


def test_a_table_that_fits_has_no_conflicts() -> None:
    assert conflicts([DATE, WEEKS], "score_date", nightly(DATE, WEEKS)) == []


def test_names_are_compared_without_case_and_order() -> None:
    existing = [Column("Weeks", "FLOAT"), DATE]
    assert conflicts(existing, "score_date", nightly(DATE, WEEKS)) == []


def test_a_new_column_is_added_and_no_conflict() -> None:
    wanted = nightly(DATE, WEEKS, Column("age", "INTEGER"))
    assert conflicts([DATE, WEEKS], "score_date", wanted) == []


def test_a_changed_type_names_column_types_and_remedy() -> None:
    [found] = conflicts([DATE, Column("weeks", "STRING")], "score_date", nightly(DATE, WEEKS))
    assert found.startswith("column weeks is STRING in the table and FLOAT in the spec. Remedy: ")


def test_a_removed_column_names_column_and_remedy() -> None:
    [found] = conflicts([DATE, WEEKS], "score_date", nightly(DATE))
    assert "column weeks (FLOAT) is not in the spec any more" in found
    assert "DROP COLUMN weeks" in found


def test_a_table_with_other_partitions_is_refused() -> None:
    [found] = conflicts([DATE], None, nightly(DATE))
    assert "partitioned by nothing, not by the day of score_date" in found
