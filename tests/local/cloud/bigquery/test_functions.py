"""Expressions answer as BigQuery's documentation says, or are refused by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

from tests.support import bigquery_functions as cases

GROUPS = {
    "arithmetic": cases.ARITHMETIC,
    "casts": cases.CASTS,
    "strings": cases.STRINGS,
    "conditions": cases.CONDITIONS,
    "times": cases.TIMES,
    "arrays": cases.ARRAYS,
}
ROWS = """(
    SELECT 'a' AS g, 1 AS x, 'p' AS s UNION ALL SELECT 'a', 2, 'q'
    UNION ALL SELECT 'b', 4, NULL UNION ALL SELECT 'b', NULL, 'r')"""


def wrong_answers(
    client: bigquery.Client, expressions: list[tuple[str, Any]], source: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Expressions that gave another value or type than expected: (got, expected)."""
    columns = ", ".join(f"{text} AS v{i}" for i, (text, _) in enumerate(expressions))
    row = next(iter(client.query_and_wait(f"SELECT {columns} {source}", job_retry=None)))
    pairs = zip(row.values(), expressions, strict=True)
    return {text: (got, want) for got, (text, want) in pairs if not same(got, want)}


def same(got: Any, want: Any) -> bool:
    if isinstance(got, float) and isinstance(want, float):
        return math.isclose(got, want)
    return type(got) is type(want) and bool(got == want)


@pytest.mark.parametrize("group", GROUPS)
def test_an_expression_has_the_value_that_bigquery_documents(
    client: bigquery.Client, group: str
) -> None:
    assert wrong_answers(client, GROUPS[group]) == {}


def test_an_aggregate_has_the_value_that_bigquery_documents(client: bigquery.Client) -> None:
    assert wrong_answers(client, cases.AGGREGATES, f"FROM {ROWS}") == {}


def test_a_window_function_counts_null_as_smallest(client: bigquery.Client) -> None:
    windows = [
        ("ROW_NUMBER() OVER (ORDER BY x)", [1, 2, 3, 4]),
        ("LAG(x) OVER (ORDER BY x)", [None, None, 1, 2]),
        ("LEAD(x, 1, 9) OVER (ORDER BY x)", [1, 2, 4, 9]),
        ("SUM(x) OVER (PARTITION BY g ORDER BY x)", [None, 1, 3, 4]),
        ("RANK() OVER (ORDER BY g)", [3, 1, 1, 3]),
        ("DENSE_RANK() OVER (ORDER BY g)", [2, 1, 1, 2]),
        ("FIRST_VALUE(x) OVER (PARTITION BY g ORDER BY x DESC)", [4, 2, 2, 4]),
    ]
    for text, expected in windows:
        found = client.query_and_wait(f"SELECT {text} AS v FROM {ROWS} ORDER BY x")
        assert [row["v"] for row in found] == expected, text


@pytest.mark.parametrize(("expression", "name"), cases.REFUSED)
def test_a_function_that_is_not_supported_is_refused_by_name(
    client: bigquery.Client, expression: str, name: str
) -> None:
    with pytest.raises(MethodNotImplemented, match="does not support") as refused:
        client.query_and_wait(f"SELECT {expression}", retry=None, job_retry=None)
    assert name in refused.value.message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("DIV(1, 0)", "division by zero"),
        ("MOD(1, 0)", "division by zero"),
        ("CAST('abc' AS INT64)", "Bad int64 value"),
        ("CAST('1.5' AS INT64)", "Bad int64 value"),
        ("[1, 2][OFFSET(2)]", "out of bounds"),
        ("9223372036854775807 + 1", "[Oo]verflow"),
        ("PARSE_DATE('%F', 'x')", "parse"),
        ("nonsense", "Unrecognized name: nonsense"),
        ("1 +", "Syntax error"),
    ],
)
def test_an_expression_that_fails_in_bigquery_fails_here(
    client: bigquery.Client, expression: str, message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(f"SELECT {expression}", retry=None, job_retry=None)
