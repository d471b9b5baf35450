"""Where the statements of a script stand in its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import Token, TokenType
from sqlglot.dialects import BigQuery


def frames(sql: str) -> list[dict[str, Any]]:
    """A ScriptStackFrame for each statement of a script that can be parsed, without its end."""
    return [_frame(sql, group[0].start, group[-1].end) for group in _statements(sql)]


def _statements(sql: str) -> Iterator[list[Token]]:
    group: list[Token] = []
    for token in BigQuery().tokenize(sql):
        if token.token_type != TokenType.SEMICOLON:
            group.append(token)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _frame(sql: str, start: int, end: int) -> dict[str, Any]:
    """Lines and columns count from one; a tab leads to the next multiple of eight."""
    before = sql[sql.rfind("\n", 0, start) + 1 : start]
    return {
        "startLine": sql.count("\n", 0, start) + 1,
        "startColumn": len(before.expandtabs(8)) + 1,
        "text": sql[start : end + 1],
    }
