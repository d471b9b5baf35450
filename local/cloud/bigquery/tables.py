"""Tables and views: insert, get, list, patch, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.bigquery import datasets, partitions, schema
from local.cloud.bigquery.errors import already_exists, not_found
from local.cloud.bigquery.names import DatasetRef, TableRef, quoted, target
from local.cloud.bigquery.partitions import Partitioning
from local.cloud.bigquery.resources import (
    check_etag,
    merged_labels,
    now_ms,
    rewritten,
    table_of,
    tables_in,
    touched,
)
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError, unsupported

_PLAIN = {"description", "friendlyName", "labels", "expirationTime"}
_SETTABLE = _PLAIN | {"schema", "timePartitioning", "clustering", "view"}
_READ_ONLY = {
    "kind", "id", "etag", "selfLink", "tableReference", "type", "location", "creationTime",
    "lastModifiedTime", "numRows", "numBytes", "numLongTermBytes", "numPhysicalBytes",
    "numTotalLogicalBytes", "numActiveLogicalBytes", "numLongTermLogicalBytes",
    "requirePartitionFilter", "rangePartitioning", "externalDataConfiguration",
    "materializedView",
}  # fmt: skip

IN_FILE = "inFile"
"""In a resource: its rows lie in a file, behind a view of DuckDB. Never leaves the server."""


def get(store: Store, ref: TableRef) -> Resource:
    """The table's resource without its counts. Raises ApiError 404."""
    datasets.get(store, ref.in_dataset)
    resource = store.get("table", str(ref))
    if resource is None:
        raise not_found("Table", ref)
    return resource


def stored(store: Store, ref: TableRef) -> Resource:
    """A table that has rows of its own. Raises ApiError 404, 400 for a view."""
    resource = get(store, ref)
    if resource["type"] == "VIEW":
        raise ApiError(
            400,
            f"Using table {ref} is not allowed for this operation because of its type. "
            "Try using a different table that is of type TABLE.",
        )
    return resource


def check_not_a_result(resource: Resource) -> None:
    """Raises ApiError 501 for a table that holds the result of a query: it is not written to."""
    if resource.get(IN_FILE):
        raise unsupported(f"changing the result of a query, {resource['id']}")


def fields_of(resource: Resource) -> Schema:
    return schema.parse(resource.get("schema") or {})


def partitioning_of(resource: Resource) -> Partitioning | None:
    return partitions.parse(resource, fields_of(resource))


def build(store: Store, ref: TableRef, body: Mapping[str, Any]) -> Resource:
    """A checked resource for a new table or view. Raises ApiError 400, 404, 501."""
    _check_known(body)
    dataset = datasets.get(store, ref.in_dataset)
    fields = schema.parse(body.get("schema") or {})
    partitioning = partitions.parse(body, fields)
    resource: Resource = {
        "kind": "bigquery#table",
        "id": str(ref),
        "selfLink": f"/bigquery/v2/projects/{ref.project}/datasets/{ref.dataset}"
        f"/tables/{ref.table}",
        "tableReference": ref.to_json(),
        "type": "VIEW" if body.get("view") else "TABLE",
        "location": dataset["location"],
        "creationTime": now_ms(),
        "schema": schema.to_json(fields),
    }
    if body.get("view"):
        resource["view"] = _view(body["view"])
    if partitioning:
        spec = dict(body["timePartitioning"])
        spec.setdefault("expirationMs", dataset.get("defaultPartitionExpirationMs"))
        resource["timePartitioning"] = partitions.normal(spec)
    if body.get("clustering"):
        resource["clustering"] = _clustering(body["clustering"], fields)
    if "expirationTime" not in body and dataset.get("defaultTableExpirationMs"):
        lifetime = int(dataset["defaultTableExpirationMs"])
        resource["expirationTime"] = str(int(resource["creationTime"]) + lifetime)
    settings = {k: v for k, v in _plain_settings(body).items() if v}
    return rewritten(touched({**resource, **settings}))


def create(store: Store, tx: Transaction, resource: Resource, *, replacing: bool = False) -> None:
    """Creates an empty table or a view; the caller holds the table's lock.

    `replacing` says that the same transaction has dropped what stood there. Raises ApiError 409.
    """
    ref = table_of(resource)
    other = store.spelled("table", str(ref))
    if other == str(ref) and not replacing:
        raise already_exists("Table", ref)
    if other not in (None, str(ref)):
        raise unsupported(f"two tables whose names differ only in case ({other}, {ref})")
    if resource["type"] == "TABLE":
        tx.execute(create_sql(ref, fields_of(resource)))
    tx.put("table", str(ref), resource)


def create_sql(ref: TableRef, fields: Schema) -> str:
    columns = [*(f.column_definition for f in fields), buffer.COLUMN]
    return f"CREATE TABLE {ref.physical} ({', '.join(columns)})"


def change_schema(tx: Transaction, ref: TableRef, current: Schema, changed: Schema) -> None:
    """Alters the stored columns from one checked schema to the next."""
    if changed == current:
        return
    tx.hold(buffer.lock_name(ref))
    known = schema.by_name(current)
    for field in changed:
        old = known.get(field.name.lower())
        if old is None:
            definition = f"{quoted(field.name)} {field.duckdb_type}"
            tx.execute(f"ALTER TABLE {ref.physical} ADD COLUMN {definition}")
        elif old.mode == "REQUIRED" and field.mode == "NULLABLE":
            tx.execute(f"ALTER TABLE {ref.physical} ALTER {quoted(field.name)} DROP NOT NULL")


def insert(store: Store, project: str, body: Mapping[str, Any]) -> Resource:
    wanted = target(body.get("tableReference") or {}, project)
    if wanted.partition:
        raise ApiError(400, "a table cannot be created with a partition decorator")
    with store.locked(wanted.table.in_dataset, wanted.table), store.transaction() as tx:
        resource = build(store, wanted.table, body)
        create(store, tx, resource)
    return resource


def patch(
    store: Store, ref: TableRef, body: Mapping[str, Any], if_match: str | None, *, replace: bool
) -> Resource:
    """Changes the settings given; `replace` (update) drops plain settings that are not given."""
    with store.locked(ref), store.transaction() as tx:
        resource = get(store, ref)
        check_etag(resource, if_match)
        changed = change(tx, resource, body, replace=replace)
        tx.put("table", str(ref), changed)
    return changed


def change(
    tx: Transaction, resource: Resource, body: Mapping[str, Any], *, replace: bool = False
) -> Resource:
    """Alters the stored columns as `body` asks; answers the new resource. Raises ApiError 400."""
    _check_known(body)
    ref = table_of(resource)
    _check_partitioning_kept(ref, resource, body)
    changed = dict(resource)
    if replace:
        changed = {k: v for k, v in resource.items() if k not in _PLAIN}
    changed.update(_plain_settings(body))
    if "clustering" in body:
        changed["clustering"] = body["clustering"]
    if isinstance(body.get("labels"), Mapping):
        kept = {} if replace else resource.get("labels", {})
        changed["labels"] = merged_labels(kept, body["labels"])
    if body.get("timePartitioning"):
        changed["timePartitioning"] = partitions.normal(body["timePartitioning"])
    if body.get("view"):
        changed["view"] = _view(body["view"])
    current = fields = fields_of(resource)
    if body.get("schema"):
        fields = schema.parse(body["schema"])
        # A view's columns follow from its query.
        if not body.get("view"):
            fields = schema.evolve(current, fields, ref, add=True, relax=True, partial=False)
        changed["schema"] = schema.to_json(fields)
    if changed.get("clustering"):
        changed["clustering"] = _clustering(changed["clustering"], fields)
    if resource["type"] == "TABLE" and fields != current:
        check_not_a_result(resource)
        change_schema(tx, ref, current, fields)
    return touched({k: v for k, v in changed.items() if v is not None})


def delete(store: Store, project: str, reference: Mapping[str, Any]) -> None:
    """Deletes a table, a view, or the one partition that a decorator names."""
    wanted = target(reference, project)
    with store.locked(wanted.table), store.transaction() as tx:
        resource = get(store, wanted.table)
        if wanted.partition:
            partitioning = partitions.required(resource, fields_of(resource))
            condition = partitioning.predicate(wanted.partition)
            settled = f"{condition} AND NOT {buffer.WAITING}"
            tx.execute(f"DELETE FROM {wanted.table.physical} WHERE {settled}")
            tx.put("table", str(wanted.table), rewritten(resource))
            return
        drop(tx, resource)


def drop(tx: Transaction, resource: Resource) -> None:
    ref = table_of(resource)
    if resource["type"] == "TABLE":
        tx.hold(buffer.lock_name(ref))
        tx.execute(f"DROP {'VIEW' if resource.get(IN_FILE) else 'TABLE'} {ref.physical}")
    tx.remove("table", str(ref))


def listing(store: Store, ref: DatasetRef) -> list[Resource]:
    datasets.get(store, ref)
    kept = [
        "kind", "id", "tableReference", "type", "labels", "friendlyName", "timePartitioning",
        "clustering", "creationTime", "expirationTime",
    ]  # fmt: skip
    found = [get(store, table) for table in tables_in(store, ref)]
    return [
        {key: table[key] for key in kept if key in table} | _listed_view(table) for table in found
    ]


def _listed_view(resource: Resource) -> Resource:
    """A list tells no view's query."""
    return {"view": {"useLegacySql": False}} if "view" in resource else {}


def _plain_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the body says of them; a time is kept as the digits that the service answers with."""
    settings = {key: body[key] for key in _PLAIN & body.keys()}
    if settings.get("expirationTime"):
        settings["expirationTime"] = str(settings["expirationTime"])
    return settings


def _check_known(body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        if key not in _SETTABLE | _READ_ONLY and value not in (None, "", {}, [], False):
            raise unsupported(f"the table option {key}")


def _check_partitioning_kept(ref: TableRef, resource: Resource, body: Mapping[str, Any]) -> None:
    old, new = resource.get("timePartitioning"), body.get("timePartitioning")
    if not new:
        return
    old = old or {}
    if (old.get("type"), old.get("field")) != (new.get("type", "DAY"), new.get("field")):
        raise ApiError(400, f"Cannot change the partitioning of table {ref}")


def _view(view: Mapping[str, Any]) -> dict[str, Any]:
    if view.get("useLegacySql"):
        raise unsupported("views in legacy SQL (set useLegacySql to false)")
    if view.get("userDefinedFunctionResources"):
        raise unsupported("userDefinedFunctionResources")
    return {"query": view["query"], "useLegacySql": False}


def _clustering(clustering: Mapping[str, Any], fields: Schema) -> dict[str, Any]:
    names = list(clustering.get("fields", []))
    known = schema.by_name(fields)
    if not names or len(names) > 4:
        raise ApiError(400, "Clustering needs one to four fields.")
    for name in names:
        if name.lower() not in known:
            raise ApiError(
                400, f"The field specified for clustering cannot be found in the schema: {name}"
            )
    return {"fields": names}
