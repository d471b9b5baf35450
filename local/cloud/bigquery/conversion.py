"""Text and JSON values into column types, as BigQuery reads them. All are DuckDB expressions that
give NULL for a value that does not fit."""

from __future__ import annotations

from local.cloud.bigquery.schema import Field

_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"
_NUMBER = r"'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?'"


def from_text(field: Field, text: str) -> str:
    """The field's value from a text expression."""
    match field.type:
        case "STRING":
            return text
        case "INTEGER":
            whole = rf"regexp_full_match(trim({text}), '[+-]?\d+(\.0*)?')"
            return f"CASE WHEN {whole} THEN TRY_CAST(trim({text}) AS BIGINT) END"
        case "BOOLEAN":
            lower = f"lower(trim({text}))"
            return f"CASE WHEN {lower} IN {_TRUE} THEN true WHEN {lower} IN {_FALSE} THEN false END"
        case "BYTES":
            return f"TRY(from_base64({text}))"
        case "TIMESTAMP":
            seconds = (
                f"TRY(make_timestamptz(CAST(CAST({text} AS DECIMAL(38,6)) * 1000000 AS BIGINT)))"
            )
            is_number = f"regexp_full_match({text}, {_NUMBER})"
            return f"CASE WHEN {is_number} THEN {seconds} ELSE {_instant(text)} END"
        case "DATE":
            is_date = rf"regexp_full_match(trim({text}), '\d{{4}}-\d{{1,2}}-\d{{1,2}}')"
            return f"CASE WHEN {is_date} THEN TRY_CAST({text} AS DATE) END"
        case "DATETIME":
            zoned = rf"regexp_matches({text}, '([zZ]|[A-Z]{{3}}|[+-]\d\d:?\d\d)$')"
            return f"CASE WHEN NOT {zoned} THEN TRY_CAST({text} AS TIMESTAMP) END"
        case _:
            return f"TRY_CAST({text} AS {field.duckdb_type})"


def _instant(text: str) -> str:
    return f"TRY_CAST({text} AS TIMESTAMPTZ)"


def from_json(field: Field, path: str) -> str:
    """The field's value from the column `json` at a JSON path given as a literal."""
    if field.mode == "REPEATED" or field.type == "RECORD":
        return f"TRY_CAST(json_extract(json, {path}) AS {field.duckdb_type})"
    text = f"json_extract_string(json, {path})"
    is_scalar = f"json_type(json, {path}) NOT IN ('OBJECT', 'ARRAY')"
    return f"CASE WHEN {is_scalar} THEN {from_text(field, text)} END"
