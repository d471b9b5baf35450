"""Globs over object names."""

from __future__ import annotations

import re
from functools import cache


def matches(name: str, glob: str) -> bool:
    """Whether an object's name, relative to its folder, is one that the glob names.

    `*` and `?` stay within one folder, `**` crosses folders (also none: `**/a.csv` names `a.csv`),
    `[ab]` and `{a,b}` name alternatives. A glob without a slash names files in every folder.
    """
    pattern = glob if "/" in glob or glob == "**" else f"**/{glob}"
    return _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|\{[^}]*\}|.", glob, re.DOTALL)
    return re.compile("".join(map(_translated, tokens)))


def _translated(token: str) -> str:
    match token:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if len(token) > 1 and token[0] == "[":
        body = token[1:-1].replace("\\", "\\\\")
        return f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]"
    if len(token) > 1:
        return "(?:" + "|".join(map(re.escape, token[1:-1].split(","))) + ")"
    return re.escape(token)
