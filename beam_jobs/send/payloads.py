"""A file taken apart into what messages hold."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice

from beam_jobs.send.errors import SendError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Format(StrEnum):
    """Of a file, or of the messages made from it."""

    CSV = "csv"
    JSON = "json"
    """One object on each line of a file; one object in a message."""


def csv_payloads(content: bytes, *, header: bool, lines_per_message: int = 1) -> Iterator[bytes]:
    """The lines as they are, so many in each message, without the header; blank ones left out."""
    lines = islice(_lines(content), 1 if header else 0, None)
    while group := list(islice(lines, lines_per_message)):
        yield b"\n".join(group)


def json_payloads(content: bytes) -> Iterator[bytes]:
    """The lines of a JSON-lines file as they are; blank ones left out."""
    return _lines(content)


def csv_to_json(content: bytes) -> Iterator[bytes]:
    """Each row as an object by the names in the header.

    All values are strings, which the contract takes for numbers too; an empty cell is null. Raises
    SendError for a row that has not one cell for each name, and for what is not UTF-8.
    """
    try:
        text = content.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SendError(f"line {line} is not UTF-8; send the file with --format csv") from error
    rows = csv.reader(io.StringIO(text, newline=""))
    names = next(rows, [])
    for row in filter(None, rows):
        yield _object(names, row, rows.line_num)


def _object(names: Sequence[str], row: Sequence[str], line: int) -> bytes:
    if len(row) != len(names):
        raise SendError(
            f"line {line} has {len(row)} cells, the header has {len(names)}; mend the line, or "
            "send the file with --format csv"
        )
    values = {name: cell or None for name, cell in zip(names, row, strict=True)}
    return json.dumps(values, ensure_ascii=False).encode()


def _lines(content: bytes) -> Iterator[bytes]:
    lines = (line.rstrip(b"\r") for line in content.removeprefix(_BYTE_ORDER_MARK).split(b"\n"))
    return (line for line in lines if line)
