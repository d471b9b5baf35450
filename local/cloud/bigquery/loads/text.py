"""CSV and newline-delimited JSON as sources: read as text, then converted field by field.

A record that cannot be converted is a bad record: the load fails with its field and value, unless
`maxBadRecords` allows as many.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.cloud.bigquery.conversion import from_json, from_text
from local.cloud.bigquery.loads.config import LoadConfig
from local.cloud.bigquery.loads.files import SourceFile
from local.cloud.bigquery.names import literal, quoted
from local.cloud.bigquery.schema import Field, Schema
from local.cloud.bigquery.store import Transaction
from local.cloud.bigquery.writes import Source
from local.cloud.http import ApiError

_PREFIX = "Error while reading data, error message: "
_LONGEST_RECORD = 100 * 1024 * 1024


def open_files(
    tx: Transaction, files: Sequence[SourceFile], config: LoadConfig, fields: Schema
) -> Source:
    """Stages the records of all files. Raises ApiError 400 when too many are bad."""
    if config.format == "CSV":
        unparsed = _stage_csv(tx, files, config, fields)
        converted = [from_text(f, quoted(f.name)) for f in fields]
        given = [f"{quoted(f.name)} IS NOT NULL" for f in fields]
        shown = [quoted(f.name) for f in fields]
        unknown = "NULL"
    else:
        unparsed = _stage_json(tx, files, config)
        converted = [from_json(f, _json_path(f)) for f in fields]
        given = [f"json_type(json, {_json_path(f)}) <> 'NULL'" for f in fields]
        shown = [f"json_extract_string(json, {_json_path(f)})" for f in fields]
        unknown = "NULL" if config.write.ignore_unknown else _unknown_key(fields)
    problems = [
        f"WHEN {present} AND {value} IS NULL THEN "
        f"'Could not convert value to {field.type}. Field: {field.name}; Value: ' || {text}"
        for field, value, present, text in zip(fields, converted, given, shown, strict=True)
    ]
    columns = ", ".join(
        f"{value} AS {quoted(field.name)}" for field, value in zip(fields, converted, strict=True)
    )
    tx.execute(
        f"CREATE TEMP TABLE typed AS SELECT {columns}, "
        f"coalesce({unknown}, CASE {' '.join(problems)} END) AS {quoted(' problem')} FROM staged"
    )
    bad = _count_bad(tx, config.max_bad_records, unparsed)
    relation = f"(SELECT * FROM typed WHERE {quoted(' problem')} IS NULL)"
    return Source(fields, relation, typed=False, bad_records=bad)


def _count_bad(tx: Transaction, allowed: int, unparsed: int) -> int:
    problem = quoted(" problem")
    bad = unparsed + tx.count(f"SELECT count(*) FROM typed WHERE {problem} IS NOT NULL")
    if bad > allowed:
        sql = f"SELECT {problem} FROM typed WHERE {problem} IS NOT NULL LIMIT 1"
        rows = tx.execute(sql).fetchall()
        example = rows[0][0] if rows else "some records could not be parsed"
        raise ApiError(
            400,
            f"{_PREFIX}too many errors, giving up. Errors: {bad}; max bad: {allowed}. {example}",
        )
    return bad


def _stage_csv(
    tx: Transaction, files: Sequence[SourceFile], config: LoadConfig, fields: Schema
) -> int:
    """Fills `staged` with one text column a field; answers how many lines were not parsed."""
    if any(f.mode == "REPEATED" or f.type == "RECORD" for f in fields):
        raise ApiError(400, f"{_PREFIX}CSV cannot hold repeated or nested fields.")
    options = config.csv
    columns = ", ".join(f"{literal(f.name)}: 'VARCHAR'" for f in fields)
    tolerant = config.max_bad_records > 0
    reads = [
        f"SELECT * FROM read_csv({_paths(group)}, header=false, auto_detect=false, "
        f"skip={options.skip_rows}, delim={literal(options.delimiter)}, "
        f"quote={literal(options.quote)}, escape={literal(options.quote)}, "
        f"nullstr={literal(options.null_marker)}, allow_quoted_nulls=false, "
        f"null_padding={options.jagged}, columns={{{columns}}}, compression={literal(kind)}, "
        f"max_line_size={_LONGEST_RECORD}, parallel={not options.quoted_newlines}"
        + (", store_rejects=true, rejects_limit=0)" if tolerant else ")")
        for kind, group in _by_compression(files)
    ]
    tx.execute(f"CREATE TEMP TABLE staged AS {' UNION ALL '.join(reads)}")
    if not options.quoted_newlines:
        broken = " OR ".join(f"contains({quoted(f.name)}, chr(10))" for f in fields)
        if tx.count(f"SELECT count(*) FROM staged WHERE {broken}"):
            raise ApiError(400, f"{_PREFIX}Missing close quote character ({options.quote}).")
    if not tolerant:
        return 0
    return tx.count("SELECT count(DISTINCT (file_id, line)) FROM reject_errors")


def _stage_json(tx: Transaction, files: Sequence[SourceFile], config: LoadConfig) -> int:
    tolerant = config.max_bad_records > 0
    reads = [
        f"SELECT json FROM read_ndjson_objects({_paths(group)}, compression={literal(kind)}, "
        f"ignore_errors={tolerant}, maximum_object_size={_LONGEST_RECORD})"
        for kind, group in _by_compression(files)
    ]
    tx.execute(f"CREATE TEMP TABLE staged AS {' UNION ALL '.join(reads)}")
    unparsed = tx.count("SELECT count(*) FROM staged WHERE json IS NULL")
    if unparsed:
        tx.execute("DELETE FROM staged WHERE json IS NULL")
    return unparsed


def _by_compression(files: Sequence[SourceFile]) -> list[tuple[str, list[SourceFile]]]:
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        with file.path.open("rb") as opened:
            zipped = opened.read(2) == b"\x1f\x8b"
        groups.setdefault("gzip" if zipped else "none", []).append(file)
    return list(groups.items())


def _paths(files: Sequence[SourceFile]) -> str:
    return "[" + ", ".join(literal(file.path) for file in files) + "]"


def _json_path(field: Field) -> str:
    name = field.name.replace('"', '\\"')
    return literal(f'$."{name}"')


def _unknown_key(fields: Schema) -> str:
    """A DuckDB expression: what is wrong with a record that has a key the table lacks, or NULL."""
    known = ", ".join(literal(f.name) for f in fields)
    unknown = f"list_filter(json_keys(json), lambda k: k NOT IN ({known}))"
    return f"CASE WHEN len({unknown}) > 0 THEN 'No such field: ' || {unknown}[1] || '.' END"
