"""BigQuery's SQL on DuckDB: parsing, names, parameters, meanings."""
