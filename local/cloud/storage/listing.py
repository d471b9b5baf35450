"""One page of a bucket's listing, computed over objects in the order of their names."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from local.cloud.http import ApiError, unsupported
from local.cloud.storage.model import StoredObject
from local.cloud.storage.preconditions import flag, integer

_LIMIT = 1000
# Sorts behind every name that begins with what stands before it.
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class ListQuery:
    """What a client asked for. `start` is inclusive, `end` exclusive."""

    prefix: str = ""
    delimiter: str = ""
    glob: str | None = None
    start: str = ""
    end: str | None = None
    limit: int = _LIMIT
    trailing_delimiter: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> ListQuery:
        """Raises ApiError 400, and 501 for listings that this server cannot give."""
        if flag(query, "softDeleted"):
            raise unsupported("softDeleted listings")
        if query.get("filter"):
            raise unsupported("listings by filter")
        delimiter, glob = query.get("delimiter", ""), query.get("matchGlob")
        if glob is not None and delimiter not in ("", "/"):
            raise ApiError(400, "With matchGlob the delimiter must be '/' or absent.", "invalid")
        prefix = query.get("prefix", "")
        limit = integer(query, "maxResults")
        if limit is not None and limit <= 0:
            raise ApiError(400, f"Invalid value for maxResults: '{limit}'", "invalidParameter")
        return cls(
            prefix=prefix,
            delimiter=delimiter,
            glob=glob,
            start=max(prefix, query.get("startOffset", ""), _position(query.get("pageToken"))),
            end=query.get("endOffset") or None,
            limit=min(limit or _LIMIT, _LIMIT),
            trailing_delimiter=flag(query, "includeTrailingDelimiter"),
        )


@dataclass
class Page:
    items: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_token: str | None = None


def list_page(query: ListQuery, scan: Callable[[str], Iterator[StoredObject]]) -> Page:
    """The page at `query.start`; `scan(start)` yields live objects from a name on."""
    page = Page()
    matches = glob_pattern(query.glob).fullmatch if query.glob else lambda _: True
    rows = scan(query.start)
    while (stored := next(rows, None)) is not None:
        if not stored.name.startswith(query.prefix):
            break
        if query.end is not None and stored.name >= query.end:
            break
        if not matches(stored.name):
            continue
        if len(page.items) + len(page.prefixes) >= query.limit:
            page.next_token = _token(stored.name)
            break
        folder = _folder(stored.name, query)
        if folder is None:
            page.items.append(stored)
            continue
        page.prefixes.append(folder)
        if query.trailing_delimiter and stored.name == folder:
            page.items.append(stored)
        rows = scan(folder + _LAST)
    return page


def _folder(name: str, query: ListQuery) -> str | None:
    """The name up to the first delimiter behind the prefix, if there is one."""
    if not query.delimiter:
        return None
    end = name.find(query.delimiter, len(query.prefix))
    return None if end < 0 else name[: end + len(query.delimiter)]


def glob_pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` stop at slashes, `**` crosses them, `**/` may be nothing; also […] and {a,b}."""
    pieces: list[str] = []
    depth = 0
    tokens = re.compile(r"\*\*/|\*\*|\*|\?|\[[^]]+\]|\{|\}|,|\\.|.", re.DOTALL)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    for token in tokens.findall(glob):
        if token in wild:
            pieces.append(wild[token])
        elif token.startswith("[") and len(token) > 1:
            inside = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            pieces.append(f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]")
        elif token == "{":
            depth += 1
            pieces.append("(?:")
        elif token == "}" and depth:
            depth -= 1
            pieces.append(")")
        elif token == "," and depth:
            pieces.append("|")
        else:
            pieces.append(re.escape(token.removeprefix("\\") or token))
    try:
        return re.compile("".join(pieces), re.DOTALL)
    except re.error as error:
        raise ApiError(400, f"Invalid value for matchGlob: '{glob}'", "invalid") from error


def _token(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode(token or "").decode()
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, f"Invalid value for pageToken: '{token}'", "invalid") from error
