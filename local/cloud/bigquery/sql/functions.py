"""Which functions are answered for. Any other is refused by name, never passed on in hope."""

from __future__ import annotations

from sqlglot import exp

from local.cloud.http import unsupported


def check_functions(tree: exp.Expr) -> None:
    """Raises ApiError 501 for the first unsupported function."""
    for node in tree.find_all(exp.Anonymous):
        raise unsupported(f"the function {node.name.upper()}")
