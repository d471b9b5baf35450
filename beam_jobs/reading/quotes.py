"""What quotes do in a CSV record, decided as pyarrow's parser decides it.

A quote opens a value only as the value's first byte; two quotes inside stand for one; after the
closing quote, and in values that begin otherwise, quotes are ordinary characters.

Counting quotes tells what they do as long as every other one stands where it may open a value:
that is decided for a whole buffer at once. Records with quotes elsewhere are few, and a regular
expression decides each of them.
"""

from __future__ import annotations

import re

import numpy as np

from beam_jobs.reading.line_ends import CR, LF, Offsets, line_ends


class Quoting:
    """Finds records whose quotes are closed."""

    def __init__(self, delimiter: str, quote: str) -> None:
        self._delimiter, self._quote = ord(delimiter), ord(quote)
        self.sign = quote.encode()
        self._record = re.compile(_record(delimiter, quote))
        self._ending = re.compile(_record(delimiter, quote) + rb"(?:\n|\r\n|\r(?=[^\n]))")
        self._last = re.compile(_record(delimiter, quote) + rb"(?:\r\n?|\n|\Z)")

    def record_ends(self, data: bytes, final: bool) -> Offsets:
        """End offsets of the records in a buffer that starts with one, where line ends inside
        quotes end nothing. What an open quote holds at the end is no record."""
        lines = line_ends(data, final)
        quotes = self._positions(data)
        if not len(quotes):
            return lines
        closed = np.searchsorted(quotes, lines) & 1 == 0
        irregular = self._misplaced(data, quotes[::2])
        if not len(irregular):
            return lines[closed]
        ends = list(lines[closed & (lines <= irregular[0])])
        pattern = self._last if final else self._ending
        position = int(ends[-1]) if ends else 0
        while position < len(data) and (match := pattern.match(data, position)):
            position = match.end()
            ends.append(position)
        return np.array(ends, np.int64)

    def unclosed(self, data: bytes, starts: Offsets, ends: Offsets) -> list[int]:
        """Which of these lines end inside quotes."""
        quotes = self._positions(data)
        if not len(quotes) or not len(starts):
            return []
        first, last = np.searchsorted(quotes, starts), np.searchsorted(quotes, ends)
        even = not ((first | last) & 1).any()
        if even and not len(self._misplaced(data, quotes[::2])):
            return []
        counts = last - first
        line = np.repeat(np.arange(len(starts)), counts)
        rank = np.arange(len(line)) - (np.cumsum(counts) - counts)[line]
        opening = quotes[(rank + first[line])[rank & 1 == 0]]
        misplaced = self._misplaced(data, opening)
        suspects = np.union1d(
            np.flatnonzero(counts & 1), np.searchsorted(starts, misplaced, "right") - 1
        )
        return [
            int(i)
            for i in suspects
            if not self._record.fullmatch(data, int(starts[i]), int(ends[i]))
        ]

    def _positions(self, data: bytes) -> Offsets:
        if self.sign not in data:
            return np.empty(0, np.int64)
        return np.flatnonzero(np.frombuffer(data, np.uint8) == self._quote)

    def _misplaced(self, data: bytes, opening: Offsets) -> Offsets:
        """Those of the quotes, counted as opening ones, that neither start a value nor double
        the closing quote right before them."""
        before = np.frombuffer(data, np.uint8)[np.maximum(opening - 1, 0)]
        starts_value = (before == self._delimiter) | (before == LF) | (before == CR)
        return opening[~(starts_value | (before == self._quote) | (opening == 0))]


def _record(delimiter: str, quote: str) -> bytes:
    """Regular expression of a record with all quotes closed, without its line end."""
    d, q = re.escape(delimiter).encode(), re.escape(quote).encode()
    rest = rb"[^%b\r\n]*+" % d
    quoted = rb"%b(?:[^%b]++|%b%b)*+%b" % (q, q, q, q, q)
    value = rb"(?:%b%b|(?!%b)%b)" % (quoted, rest, q, rest)
    return rb"%b(?:%b%b)*+" % (value, d, value)
