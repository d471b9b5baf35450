-- BigQuery functions whose meaning differs from DuckDB's, as macros of the same arguments.

CREATE OR REPLACE MACRO main.bq_div(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: ' || a || ' / ' || b) ELSE a / b END;

CREATE OR REPLACE MACRO main.bq_int_div(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: DIV(' || a || ', ' || b || ')')
         ELSE CAST(trunc((a - a % b) / 1) AS BIGINT) // b END;

CREATE OR REPLACE MACRO main.bq_mod(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: MOD(' || a || ', ' || b || ')') ELSE a % b END;
