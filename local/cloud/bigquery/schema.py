"""BigQuery schemas: their fields, their DuckDB types, and which changes are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.cloud.bigquery.names import quoted
from local.cloud.http import ApiError, unsupported

Schema = tuple["Field", ...]

# The legacy names are the ones the REST API answers with.
_STANDARD_NAMES = {
    "INT64": "INTEGER",
    "INT": "INTEGER",
    "SMALLINT": "INTEGER",
    "BIGINT": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
}
_DUCKDB = {
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "NUMERIC": "DECIMAL(38,9)",
}
_MODES = ("NULLABLE", "REQUIRED", "REPEATED")
_KNOWN_KEYS = {"name", "type", "mode", "fields", "description"}


@dataclass(frozen=True)
class Field:
    """One column: legacy type name, mode, and the inner fields of a RECORD."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: Schema = ()
    description: str | None = None

    @property
    def duckdb_type(self) -> str:
        """The DuckDB type that stores the column, nesting included."""
        if self.type == "RECORD":
            inner = ", ".join(f"{quoted(f.name)} {f.duckdb_type}" for f in self.fields)
            base = f"STRUCT({inner})"
        else:
            base = _DUCKDB[self.type]
        return f"{base}[]" if self.mode == "REPEATED" else base

    @property
    def column_definition(self) -> str:
        not_null = " NOT NULL" if self.mode == "REQUIRED" else ""
        return f"{quoted(self.name)} {self.duckdb_type}{not_null}"

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.fields:
            body["fields"] = [f.to_json() for f in self.fields]
        if self.description is not None:
            body["description"] = self.description
        return body


def to_json(schema: Schema) -> dict[str, Any]:
    return {"fields": [f.to_json() for f in schema]}


def parse(resource: Mapping[str, Any]) -> Schema:
    """Reads a TableSchema. Raises ApiError 400 for a wrong field, 501 for an unsupported one."""
    fields = tuple(_parse_field(f) for f in resource.get("fields", []))
    names = [f.name.lower() for f in fields]
    for name in names:
        if names.count(name) > 1:
            raise ApiError(400, f"Duplicate field name: {name}")
    return fields


def _parse_field(body: Mapping[str, Any]) -> Field:
    name = str(body.get("name", ""))
    if not name or len(name) > 300:
        raise ApiError(400, f'Invalid field name "{name}".')
    used = {key for key, value in body.items() if value not in (None, "", [], {})}
    if extra := sorted(used - _KNOWN_KEYS):
        raise unsupported(f"the schema field option {extra[0]} (field {name})")
    type_name = str(body.get("type", "")).upper()
    type_name = _STANDARD_NAMES.get(type_name, type_name)
    if type_name != "RECORD" and type_name not in _DUCKDB:
        raise unsupported(f"the column type {type_name} (field {name})")
    mode = str(body.get("mode") or "NULLABLE").upper()
    if mode not in _MODES:
        raise ApiError(400, f"Invalid mode {mode} for field {name}")
    inner = parse(body)
    if type_name == "RECORD" and not inner:
        raise ApiError(400, f"Field {name} is type RECORD but has no schema")
    if any(f.mode == "REQUIRED" for f in inner):
        raise unsupported(f"REQUIRED fields inside a RECORD (field {name})")
    return Field(name, type_name, mode, inner, body.get("description"))


def by_name(schema: Iterable[Field]) -> dict[str, Field]:
    """Fields by lower-case name: BigQuery's column names are case-insensitive."""
    return {f.name.lower(): f for f in schema}


def evolve(
    current: Schema, incoming: Schema, table: object, *, add: bool, relax: bool, partial: bool
) -> Schema:
    """The table's schema after a change, or an ApiError 400 naming the field that forbids it.

    `add` allows new NULLABLE or REPEATED columns, `relax` allows REQUIRED to become NULLABLE. A
    load is `partial`: its schema may leave nullable columns out and be stricter than the table's.
    """
    given = by_name(incoming)
    prefix = f"Provided Schema does not match Table {table}."
    kept = []
    for old in current:
        new = given.pop(old.name.lower(), None)
        if new is None:
            if not partial or old.mode == "REQUIRED":
                raise ApiError(400, f"{prefix} Field {old.name} is missing in new schema")
            kept.append(old)
            continue
        kept.append(_changed(old, new, prefix, relax=relax, tighten=partial))
    for new in incoming:
        if new.name.lower() not in given:
            continue
        if not add:
            raise ApiError(400, f"{prefix} Cannot add fields (field: {new.name})")
        if new.mode == "REQUIRED":
            raise ApiError(400, f"{prefix} Cannot add required fields (field: {new.name})")
        kept.append(new)
    return tuple(kept)


def _changed(old: Field, new: Field, prefix: str, *, relax: bool, tighten: bool) -> Field:
    if old.type != new.type:
        raise ApiError(
            400, f"{prefix} Field {old.name} has changed type from {old.type} to {new.type}"
        )
    if [(f.name, f.type) for f in old.fields] != [(f.name, f.type) for f in new.fields]:
        raise unsupported(f"changing the fields of a RECORD (field {old.name})")
    relaxes = (old.mode, new.mode) == ("REQUIRED", "NULLABLE")
    tightens = (old.mode, new.mode) == ("NULLABLE", "REQUIRED")
    if old.mode != new.mode and not (relaxes and relax) and not (tightens and tighten):
        raise ApiError(
            400, f"{prefix} Field {old.name} has changed mode from {old.mode} to {new.mode}"
        )
    mode = "NULLABLE" if relaxes else old.mode
    return replace(old, mode=mode, description=new.description or old.description)
