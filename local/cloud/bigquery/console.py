"""A page for people: one table's schema, its partitions and its first rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route

from local.cloud.bigquery import tables
from local.cloud.bigquery.information_schema import standard_type
from local.cloud.bigquery.names import TableRef, literal, quoted
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError

FIRST_ROWS = 20
_BUFFERED = "streaming buffer"
# A name that no column can have.
_PARTITION = quoted(" partition")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #1f2328; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #d8dee4; padding: .3rem .8rem; text-align: left;
         white-space: nowrap; }
th { background: #f6f8fa; } .null { color: #8c959f; } code { background: #f6f8fa; }
"""


class Console:
    """GET /console/tables/{project}/{dataset}/{table}"""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[BaseRoute]:
        return [Route("/console/tables/{project}/{dataset}/{table}", self._page, methods=["GET"])]

    async def _page(self, request: Request) -> HTMLResponse:
        ref = TableRef(**request.path_params)
        try:
            return HTMLResponse(await run_in_threadpool(self._render, ref))
        except ApiError as error:
            body = f"<h1>{escape(str(ref))}</h1><p>{escape(error.message)}</p>"
            return HTMLResponse(_document(str(ref), body), status_code=error.code)

    def _render(self, ref: TableRef) -> str:
        resource = tables.get(self._store, ref)
        parts = [f"<h1>{escape(str(ref))}</h1>", f"<p>{_summary(resource)}</p>", _schema(resource)]
        if resource["type"] == "VIEW":
            parts.append(f"<h2>Query</h2><pre>{escape(resource['view']['query'])}</pre>")
        else:
            parts += [self._partitions(ref, resource), self._rows(ref, resource)]
        return _document(str(ref), "".join(parts))

    def _partitions(self, ref: TableRef, resource: Resource) -> str:
        partitioning = tables.partitioning_of(resource)
        if partitioning is None:
            return ""
        with self._store.reading() as cursor:
            found = cursor.execute(
                f"SELECT CASE WHEN {buffer.WAITING} THEN {literal(_BUFFERED)} "
                f"ELSE {partitioning.id_sql()} END AS {_PARTITION}, count(*) FROM {ref.physical} "
                f"GROUP BY {_PARTITION} ORDER BY {_PARTITION} DESC"
            ).fetchall()
        total = sum(count for _, count in found)
        title = f"<h2>Partitions: {len(found)}, {total:,} rows</h2>"
        return title + _table(["partition", "rows"], ((id_, f"{n:,}") for id_, n in found))

    def _rows(self, ref: TableRef, resource: Resource) -> str:
        names = [field.name for field in tables.fields_of(resource)]
        if not names:
            return ""
        columns = ", ".join(f"{quoted(name)}::VARCHAR" for name in names)
        with self._store.reading() as cursor:
            found = cursor.execute(
                f"SELECT {columns} FROM {ref.physical} LIMIT {FIRST_ROWS}"
            ).fetchall()
        return f"<h2>First {len(found)} rows</h2>" + _table(names, found)


def _summary(resource: Resource) -> str:
    """Kind, partitioning, clustering and description in one line."""
    said = [resource["type"].lower()]
    if spec := resource.get("timePartitioning"):
        said.append(f"partitioned by {spec['type'].lower()} of {spec['field']}")
    if clustering := resource.get("clustering"):
        said.append(f"clustered by {', '.join(clustering['fields'])}")
    if resource.get("description"):
        said.append(resource["description"])
    return escape("; ".join(said))


def _schema(resource: Resource) -> str:
    rows = (
        (f.name, standard_type(f), f.mode, f.description or "") for f in tables.fields_of(resource)
    )
    return "<h2>Schema</h2>" + _table(["column", "type", "mode", "description"], rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    if value is None:
        return '<td class="null">NULL</td>'
    return f"<td>{escape(str(value))}</td>"


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
