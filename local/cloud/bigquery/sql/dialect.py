"""DuckDB SQL that keeps BigQuery's meaning: sqlglot's DuckDB dialect with corrections."""

from __future__ import annotations

from sqlglot.dialects.duckdb import DuckDB


class OnDuckDB(DuckDB):
    """Generates from syntax trees that were read as BigQuery."""
