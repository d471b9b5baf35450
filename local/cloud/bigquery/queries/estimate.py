"""How many bytes a query would read: of the columns it uses, in the partitions it cannot leave out.

DuckDB's plan tells which columns a scan reads and which conditions reach it. The plan is made on
empty tables in memory, without the optimizations that replace conditions by cleverer ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import TableRef
from local.cloud.bigquery.schema import by_name
from local.cloud.bigquery.sizes import bytes_sql
from local.cloud.bigquery.sql.translation import Translation
from local.cloud.bigquery.store import Store

_DISABLED = (
    "statistics_propagation,top_n_window_elimination,late_materialization,join_filter_pushdown,"
    "window_self_join,empty_result_pullup,in_clause"
)


@dataclass(frozen=True)
class _Scan:
    """One table as a plan reads it: its columns (None: all of them), and DuckDB conditions that
    hold for all rows."""

    table: str
    columns: frozenset[str] | None
    conditions: tuple[exp.Expr, ...]


def bytes_read(store: Store, translated: Translation, changed: TableRef | None = None) -> int:
    """The logical bytes; those of whole tables where the plan cannot be understood.

    A statement that rewrites rows of the table `changed` reads all of their columns once more.
    """
    by_table = {ref.physical: ref for ref in translated.referenced if _is_stored(store, ref)}
    try:
        scans = _scans(store, translated, list(by_table.values()))
    except (duckdb.Error, SqlglotError):
        scans = [_Scan(table, None, ()) for table in by_table]
    rewritten = [scan for scan in scans if changed and scan.table == changed.physical][:1]
    scans += [replace(scan, columns=None) for scan in rewritten]
    with store.reading() as cursor:
        queries = [_bytes_of(store, by_table[scan.table], scan) for scan in scans]
        return sum(int(cursor.execute(sql).fetchall()[0][0]) for sql in queries)


def _is_stored(store: Store, ref: TableRef) -> bool:
    return bool(tables.get(store, ref)["type"] == "TABLE")


def _scans(store: Store, translated: Translation, refs: Sequence[TableRef]) -> list[_Scan]:
    with closing(duckdb.connect()) as twin:
        twin.execute("SET TimeZone = 'UTC'")
        twin.execute(f"SET disabled_optimizers = '{_DISABLED}'")
        twin.execute(store.macros)
        for ref in refs:
            twin.execute(f"CREATE SCHEMA IF NOT EXISTS {ref.in_dataset.physical}")
            twin.execute(tables.create_sql(ref, tables.fields_of(tables.get(store, ref))))
        for statement in translated.prelude:
            twin.execute(statement)
        [(_, plan)] = twin.execute(f"EXPLAIN (FORMAT json) {translated.sql}").fetchall()
    return [scan for root in json.loads(plan) for scan in _walk(root, ())]


def _walk(node: dict[str, Any], above: tuple[str, ...]) -> Iterator[_Scan]:
    """The scans below a node of the plan; `above` are the filters between them and it."""
    info = node.get("extra_info", {})
    if "Table" in info:
        conditions = tuple(_conditions((*above, *_texts(info.get("Filters")))))
        used = {column.name for condition in conditions for column in _columns(condition)}
        table = sqlglot.to_table(info["Table"], dialect="duckdb")
        name = ".".join(exp.to_identifier(part, quoted=True).sql("duckdb") for part in _path(table))
        yield _Scan(name, frozenset({*_texts(info.get("Projections")), *used}), conditions)
        return
    filters = (*above, *_texts(info.get("Expression"))) if node["name"] == "FILTER" else ()
    for child in node.get("children", []):
        yield from _walk(child, filters)


def _path(table: exp.Table) -> tuple[str, str]:
    return table.db, table.name


def _texts(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def _conditions(texts: Sequence[str]) -> Iterator[exp.Expr]:
    for text in texts:
        # Optional filters only repeat what others say.
        if "optional:" not in text:
            condition = sqlglot.parse_one(text, read="duckdb").unnest()
            yield from condition.flatten() if isinstance(condition, exp.And) else [condition]


def _columns(condition: exp.Expr) -> Iterator[exp.Column]:
    return condition.find_all(exp.Column)


def _bytes_of(store: Store, ref: TableRef, scan: _Scan) -> str:
    """SQL that sums up what a scan reads."""
    resource = tables.get(store, ref)
    known = by_name(tables.fields_of(resource))
    names = known if scan.columns is None else sorted(scan.columns)
    read = [known[name.lower()] for name in names if name.lower() in known]
    partitioning = tables.partitioning_of(resource)
    if partitioning is None:
        return f"SELECT {bytes_sql(read)} FROM {ref.physical}"
    key = partitioning.column.name.lower()
    kept = [
        condition.sql("duckdb")
        for condition in scan.conditions
        if {column.name.lower() for column in _columns(condition)} == {key}
    ]
    id_, condition = partitioning.id_sql(), " AND ".join(kept) or "true"
    touched = f"SELECT {id_} FROM {ref.physical} WHERE {condition}"
    return f"SELECT {bytes_sql(read)} FROM {ref.physical} WHERE {id_} IN ({touched})"
