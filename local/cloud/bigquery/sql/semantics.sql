-- What BigQuery's operators and functions mean where DuckDB's of the same name differ.

CREATE OR REPLACE MACRO main.bq_divide(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: ' || a || ' / ' || b) ELSE a / b END;

CREATE OR REPLACE MACRO main.bq_div(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: DIV(' || a || ', ' || b || ')') ELSE a // b END;

CREATE OR REPLACE MACRO main.bq_mod(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: MOD(' || a || ', ' || b || ')') ELSE a % b END;

-- A FLOAT64 rounds half away from zero; a STRING must be a whole number.
CREATE OR REPLACE MACRO main.bq_int64(x) AS
    CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
        WHEN typeof(x) = 'VARCHAR'
            AND NOT regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?(\d+|0[xX][0-9a-fA-F]+)')
            THEN error('Bad int64 value: ' || CAST(x AS VARCHAR))
        ELSE CAST(x AS BIGINT)
    END;

CREATE OR REPLACE MACRO main.bq_safe_int64(x) AS
    CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
        WHEN typeof(x) = 'VARCHAR'
            AND NOT regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?(\d+|0[xX][0-9a-fA-F]+)')
            THEN NULL
        ELSE TRY_CAST(x AS BIGINT)
    END;

CREATE OR REPLACE MACRO main.bq_byte_length(x) AS
    octet_length(
        CASE typeof(x)
            WHEN 'BLOB' THEN CAST(CAST(x AS VARCHAR) AS BLOB)
            ELSE encode(CAST(x AS VARCHAR))
        END
    );

CREATE OR REPLACE MACRO main.bq_string(x) AS
    CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
            THEN regexp_replace(CAST(x AS VARCHAR), '\.0($|e)', '\1')
        WHEN typeof(x) LIKE 'DECIMAL%' AND contains(CAST(x AS VARCHAR), '.')
            THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.')
        WHEN typeof(x) = 'BLOB' THEN decode(CAST(CAST(x AS VARCHAR) AS BLOB))
        ELSE CAST(x AS VARCHAR)
    END;

-- DATE functions take DATE; BigQuery overloads some of them, which one SQL type cannot express.
CREATE OR REPLACE MACRO main.bq_date(x) AS
    CASE
        WHEN typeof(x) IN ('DATE', 'VARCHAR', '"NULL"') THEN CAST(x AS DATE)
        ELSE error('not supported by the local cloud: a DATE_ function of a ' || typeof(x))
    END;

CREATE OR REPLACE MACRO main.bq_element(list, position) AS
    CASE
        WHEN position < 1 OR position > len(list)
            THEN error('Array index ' || (position - 1) || ' is out of bounds')
        ELSE list[position]
    END;
