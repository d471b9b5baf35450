"""The live tables and views, created and brought forward."""

from __future__ import annotations

import pytest

from nightstream.publishing.evolution import SchemaConflictError
from tests.plugins.nightstream.streaming.conftest import DEAD_LETTERS, PREDICTIONS, Live, scored
from tests.support.specs import a_service

FIELDS = [
    {"name": "id", "type": "string", "passthrough": True},
    {"name": "weeks", "type": "float"},
]
WIDER = a_service(input={"fields": [*FIELDS, {"name": "age", "type": "integer"}]})


def etags(live: Live) -> list[str]:
    names = [PREDICTIONS, DEAD_LETTERS, f"{PREDICTIONS}_unique", f"{DEAD_LETTERS}_unique"]
    return [live.table(name).etag for name in names]


def test_tables_are_partitioned_by_the_day_of_publishing(empty: Live) -> None:
    empty.prepare()

    for name in (PREDICTIONS, DEAD_LETTERS):
        table = empty.table(name)
        assert (table.time_partitioning.type_, table.time_partitioning.field) == (
            "DAY",
            "published_at",
        )
        assert table.clustering_fields == ["request_id"]
        assert {field.mode for field in table.schema} == {"NULLABLE"}


def test_views_have_the_tables_columns_after_the_publish_date(empty: Live) -> None:
    empty.prepare()

    for name in (PREDICTIONS, DEAD_LETTERS):
        columns = [field.name for field in empty.table(name).schema]
        view = empty.table(f"{name}_unique")
        assert [field.name for field in view.schema] == ["publish_date", *columns]


def test_preparing_again_changes_nothing(empty: Live) -> None:
    empty.prepare()
    before = etags(empty)

    empty.prepare()

    assert etags(empty) == before


def test_a_new_field_is_a_new_column_of_table_and_view(empty: Live) -> None:
    empty.prepare()
    empty.insert(PREDICTIONS, scored("a"))

    empty.prepare(WIDER)
    empty.insert(PREDICTIONS, scored("b") | {"age": 30})

    assert empty.table(PREDICTIONS).schema[-1].name == "age"
    assert empty.view(PREDICTIONS, "request_id, age") == [("a", None), ("b", 30)]


def test_a_changed_type_is_refused_with_its_remedy_and_nothing_is_changed(empty: Live) -> None:
    empty.prepare()
    before = etags(empty)
    changed = [FIELDS[0], {"name": "weeks", "type": "integer"}, {"name": "age", "type": "integer"}]

    with pytest.raises(SchemaConflictError, match=r"column weeks is FLOAT .* Remedy: give"):
        empty.prepare(a_service(input={"fields": changed}))

    assert etags(empty) == before


def test_a_table_under_a_views_name_is_refused_with_its_remedy(empty: Live) -> None:
    empty.query(f"CREATE TABLE {empty.dataset}.{PREDICTIONS}_unique (request_id STRING)")

    with pytest.raises(SchemaConflictError, match=r"should be a view\. Remedy: rename it"):
        empty.prepare()


def test_a_view_that_somebody_changed_is_put_right(empty: Live) -> None:
    empty.prepare()
    view = empty.table(f"{PREDICTIONS}_unique")
    right = view.view_query
    view.view_query = f"SELECT request_id FROM `{empty.dataset}.{PREDICTIONS}`"
    empty.client.update_table(view, ["view_query"])

    empty.prepare()

    assert empty.table(f"{PREDICTIONS}_unique").view_query == right
